#include "plugin/plugin_file.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

namespace qsohost::inline v1 {

namespace {

// Bounds-checked reading of plain structs out of an ELF file's bytes.
class Bytes {
 public:
  explicit Bytes(std::vector<char> data) : data_(std::move(data)) {}
  std::size_t size() const { return data_.size(); }
  bool holds(std::uint64_t offset, std::uint64_t length) const {
    return offset <= data_.size() && length <= data_.size() - offset;
  }
  template <class T>
  bool read(std::uint64_t offset, T& out) const {
    if (!holds(offset, sizeof(T))) return false;
    std::memcpy(&out, data_.data() + offset, sizeof(T));
    return true;
  }
  // Its beginning, if it is long: a file has up to 65535 names of sections, all of which may be the
  // whole file.
  std::string_view text(std::uint64_t offset) const {
    constexpr std::size_t longest = 64;
    if (offset >= data_.size()) return {};
    const char* begin = data_.data() + offset;
    return {begin, strnlen(begin, std::min(longest, data_.size() - offset))};
  }
  const char* at(std::uint64_t offset) const { return data_.data() + offset; }

 private:
  std::vector<char> data_;
};

struct Section {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

const char* const kTruncated =
    "the file is truncated: its ELF headers point beyond its end; build or copy it again";

// dlopen of a file that is shorter than its headers say ends in SIGBUS, which cannot be caught.
std::variant<Section, std::string> find_note(const Bytes& file) {
  Elf64_Ehdr header;
  if (!file.read(0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    if (file.size() >= SELFMAG && std::memcmp(file.at(0), ELFMAG, SELFMAG) == 0) return kTruncated;
    return "not a plugin: not a shared object (no ELF header)";
  }
#if defined(__x86_64__)
  constexpr Elf64_Half machine = EM_X86_64;
#elif defined(__aarch64__)
  constexpr Elf64_Half machine = EM_AARCH64;
#else
  const Elf64_Half machine = header.e_machine;
#endif
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != machine) {
    return "not a plugin for this machine: built for another processor";
  }
  if (header.e_type != ET_DYN) return "not a plugin: not a shared object";
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (!file.read(header.e_phoff + i * sizeof segment, segment)) return kTruncated;
    if (!file.holds(segment.p_offset, segment.p_filesz)) return kTruncated;
  }
  Elf64_Shdr names;
  if (!file.read(header.e_shoff + header.e_shstrndx * sizeof names, names)) return kTruncated;
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    if (!file.read(header.e_shoff + i * sizeof section, section)) return kTruncated;
    if (section.sh_type == SHT_NOBITS) continue;
    if (!file.holds(section.sh_offset, section.sh_size)) return kTruncated;
    if (file.text(names.sh_offset + section.sh_name) == ".qsohost") {
      return Section{section.sh_offset, section.sh_size};
    }
  }
  return "not a plugin: it has no qsohost note (is the QSOHOST_PLUGIN line missing?)";
}

std::string two_columns(const AbiInfo& plugin, const AbiInfo& host, bool other_api) {
  std::string out = fmt::format("not binary compatible with this host\n    {:<20} {:<20} {:<20}",
                                "", "plugin", "host");
  const auto row = [&](std::string_view what, const auto& theirs, const auto& ours) {
    out += fmt::format("\n    {:<20} {:<20} {:<20}", what, theirs, ours);
  };
  if (plugin.api != host.api) row("API number", plugin.api, host.api);
  // With another API number the rest of the note may mean something else.
  if (!other_api) {
    const auto yes_no = [](std::uint32_t v) { return v != 0 ? "yes" : "no"; };
    if (plugin.libstdcxx != host.libstdcxx) {
      row("GNU C++ library", yes_no(plugin.libstdcxx), yes_no(host.libstdcxx));
    }
    if (plugin.cxx11_strings != host.cxx11_strings) {
      row("C++11 strings", yes_no(plugin.cxx11_strings), yes_no(host.cxx11_strings));
    }
    if (plugin.debug_containers != host.debug_containers) {
      row("debug containers", yes_no(plugin.debug_containers), yes_no(host.debug_containers));
    }
    if (plugin.layout != host.layout) {
      row("layout", fmt::format("{:016x}", plugin.layout), fmt::format("{:016x}", host.layout));
    }
    row("compiler", plugin.compiler.data(), host.compiler.data());
    row("C++", plugin.cplusplus, host.cplusplus);
  }
  return out +
         "\n  rebuild the plugin against this host's headers and with its flags "
         "(find_package(qsohost) and qsohost_add_plugin() set them)";
}

bool ends_inside(const auto& text) {
  return std::memchr(text.data(), 0, text.size()) != nullptr;
}

bool is_sane(const PluginNote& note) {
  if (note.stage_count > kMaxStages) return false;
  if (!ends_inside(note.name) || !ends_inside(note.version)) return false;
  for (std::size_t i = 0; i < note.stage_count; ++i) {
    const PluginNote::StageLine& line = note.stages[i];
    if (!ends_inside(line.name) || !ends_inside(line.summary)) return false;
    if (line.name[0] == '\0' || line.role > static_cast<std::uint64_t>(Role::Sink)) return false;
  }
  return ends_inside(note.abi.compiler);
}

}  // namespace

std::variant<PluginNote, std::string> read_plugin_note(const std::filesystem::path& file) {
  // Not opened if it is a named pipe, at which it would wait.
  std::ifstream in;
  std::error_code none;
  if (std::filesystem::is_regular_file(file, none)) in.open(file, std::ios::binary);
  if (!in.is_open()) {
    return std::filesystem::exists(file, none) ? "cannot be read: no permission, or not a file"
                                               : "no such file";
  }
  std::vector<char> content(std::filesystem::file_size(file));
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(in.gcount()));
  const Bytes bytes(std::move(content));
  const auto found = find_note(bytes);
  if (const auto* reason = std::get_if<std::string>(&found)) return *reason;
  const auto [offset, size] = std::get<Section>(found);

  // The head of the note is the same in every version of this interface: magic, size, count, API.
  constexpr std::size_t head = offsetof(PluginNote, abi) + sizeof(std::uint32_t);
  PluginNote note;
  if (size < head || std::memcmp(bytes.at(offset), kMagic.data(), kMagic.size()) != 0) {
    return "not a plugin: its note does not begin with the magic word of qsohost";
  }
  std::memcpy(static_cast<void*>(&note), bytes.at(offset), std::min(size, sizeof note));
  const AbiInfo host = abi_info();
  if (note.abi.api != host.api) return two_columns(note.abi, host, true);
  if (note.size != sizeof(PluginNote) || size < sizeof(PluginNote)) {
    return fmt::format("not a plugin of this host: its note has {} bytes, this host's {}",
                       std::min<std::uint64_t>(size, note.size), sizeof(PluginNote));
  }
  const AbiInfo& abi = note.abi;
  if (abi.libstdcxx != host.libstdcxx || abi.cxx11_strings != host.cxx11_strings ||
      abi.debug_containers != host.debug_containers || abi.layout != host.layout) {
    return two_columns(abi, host, false);
  }
  if (!is_sane(note)) return "not a plugin: its note is damaged; build it again";
  return note;
}

}  // namespace qsohost::inline v1
