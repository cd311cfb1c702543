// The only header that a plugin must include, and the one line that makes a shared object a plugin:
//
//   QSOHOST_PLUGIN("mysurvey", "1.0.0",
//                  qsohost::stage<MySurvey>("mysurvey", "light curves of My Survey"))
//
// It defines a note in ELF section ".qsohost", which the host reads before it runs any of the
// plugin's code, and one exported symbol, the table "qsohost_plugin". Both are constants.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "qsohost/api.hpp"
#include "qsohost/batch.hpp"
#include "qsohost/context.hpp"
#include "qsohost/error.hpp"
#include "qsohost/http.hpp"
#include "qsohost/light_curve.hpp"
#include "qsohost/light_curve_fitter.hpp"
#include "qsohost/option.hpp"
#include "qsohost/port.hpp"
#include "qsohost/stage.hpp"
#include "qsohost/tap.hpp"
#include "qsohost/time_converter.hpp"

namespace qsohost::inline v1 {

inline constexpr std::array<char, 8> kMagic{'Q', 'S', 'O', 'H', 'O', 'S', 'T', '\0'};
inline constexpr std::size_t kMaxStages = 16;

// What must be equal on both sides of the boundary, as the compiler sees it on each side.
struct AbiInfo {
  std::uint32_t api = QSOHOST_API_NUMBER;
  std::uint32_t cxx11_strings = 0;
  std::uint32_t debug_containers = 0;
  std::uint32_t libstdcxx = 0;      // 1: libstdc++, 0: another library
  std::uint64_t layout = 0;         // hash of the sizes of all types that cross
  std::int64_t cplusplus = 0;       // shown, not compared
  std::array<char, 64> compiler{};  // shown, not compared
};

// FNV-1a over sizes and alignments, in order.
template <class... Types>
constexpr std::uint64_t hash_of_layouts() {
  std::uint64_t hash = 14695981039346656037ull;
  for (const std::size_t v : {sizeof(Types)..., alignof(Types)...}) {
    for (int i = 0; i < 8; ++i) hash = (hash ^ ((v >> (8 * i)) & 0xff)) * 1099511628211ull;
  }
  return hash;
}

// Hash of all types that cross the boundary: differs with another standard library, other flags or
// other headers. The library qsohost-io has its own version.
constexpr std::uint64_t layout_hash() {
  return hash_of_layouts<
      StringArray, ColumnAllocator<float>, ColumnInfo, Column, ColumnSet, TimeSystem, GroupInfo,
      Group, Slice, Liveness, Batch, Object, LightCurve, TimeOrder, OptionValue, OptionValue::Table,
      OptionTablesBase, ChoiceBase, OptionLimits, OptionBase, Option<bool>, Option<std::int64_t>,
      Option<double>, Option<std::string>, Option<Path>, Option<Secret>,
      Option<std::vector<std::string>>, Option<std::vector<double>>, Port, Ports, Schema,
      Schema::Entry, Schema::GroupEntry, RunInfo, Context, Counts, Counts::Entry, Outcomes,
      Outcomes::State, Result, FitBatch, Stage, Source, Fetcher, Filter, NotDone, Fitter, Sink,
      Input, Chunk, Products, Error, Request, Response, HttpPolicy, Conversation, Http, HttpFetcher,
      ObjectFetcher, TapUpload, UploadColumn, TapQuery, TapAnswer, TapExchange, ResultColumn,
      CurveToFit, LightCurveFitter, TimeConverter>();
}

template <std::size_t N>
constexpr std::array<char, N> fixed_text(std::string_view text) {
  std::array<char, N> out{};
  for (std::size_t i = 0; i < text.size() && i + 1 < N; ++i) out[i] = text[i];
  return out;
}

constexpr AbiInfo abi_info() {
  AbiInfo abi;
#if defined(_GLIBCXX_USE_CXX11_ABI) && _GLIBCXX_USE_CXX11_ABI
  abi.cxx11_strings = 1;
#endif
#ifdef _GLIBCXX_DEBUG
  abi.debug_containers = 1;
#endif
#ifdef __GLIBCXX__
  abi.libstdcxx = 1;
#endif
  abi.layout = layout_hash();
  abi.cplusplus = __cplusplus;
#if defined(__clang__)
  abi.compiler = fixed_text<64>("clang " __clang_version__);
#else
  abi.compiler = fixed_text<64>("g++ " __VERSION__);
#endif
  return abi;
}

// One stage as the table lists it.
struct StageEntry {
  const char* name;
  const char* summary;
  Role role;
  Stage* (*create)();
  void (*destroy)(Stage*);
};

template <class T>
constexpr StageEntry stage(const char* name, const char* summary) {
  return {name, summary, T::role, []() -> Stage* { return new T; },
          [](Stage* object) { delete object; }};
}

// The note: plain data, so that it can be read from the file of a plugin that cannot be loaded.
struct PluginNote {
  std::array<char, 8> magic{};
  std::uint32_t size = 0;  // of this struct
  std::uint32_t stage_count = 0;
  AbiInfo abi{};
  std::array<char, 64> name{};
  std::array<char, 32> version{};
  struct StageLine {
    std::array<char, 64> name{};
    std::array<char, 184> summary{};
    std::uint64_t role = 0;
  };
  std::array<StageLine, kMaxStages> stages{};
};

// Text of a plugin or stage; one that is too long does not compile.
template <std::size_t N>
constexpr std::array<char, N> note_text(std::string_view text) {
  if (text.size() >= N) {
    throw "too long: a name has at most 63 characters, a version 31, the summary of a stage 183";
  }
  return fixed_text<N>(text);
}

template <std::size_t N>
constexpr PluginNote make_note(const char* name, const char* version,
                               const std::array<StageEntry, N>& stages) {
  static_assert(N <= kMaxStages, "a plugin offers at most 16 stages");
  PluginNote note;
  note.magic = kMagic;
  note.size = sizeof(PluginNote);
  note.stage_count = N;
  note.abi = abi_info();
  note.name = note_text<64>(name);
  note.version = note_text<32>(version);
  for (std::size_t i = 0; i < N; ++i) {
    note.stages[i].name = note_text<64>(stages[i].name);
    note.stages[i].summary = note_text<184>(stages[i].summary);
    note.stages[i].role = static_cast<std::uint64_t>(stages[i].role);
  }
  return note;
}

struct PluginTable {
  std::array<char, 8> magic;
  std::uint32_t size;  // of this struct
  std::uint32_t api;
  std::uint64_t layout;
  const char* name;
  const char* version;
  std::uint64_t stage_count;
  const StageEntry* stages;
};

}  // namespace qsohost::inline v1

#define QSOHOST_PLUGIN(NAME, VERSION, ...)                                             \
  namespace {                                                                          \
  constexpr std::array qsohost_stages{__VA_ARGS__};                                    \
  [[gnu::section(".qsohost"), gnu::used]] constexpr qsohost::PluginNote qsohost_note = \
      qsohost::make_note(NAME, VERSION, qsohost_stages);                               \
  }                                                                                    \
  extern "C" {                                                                         \
  extern QSOHOST_EXPORT const qsohost::PluginTable qsohost_plugin;                     \
  const qsohost::PluginTable qsohost_plugin{qsohost::kMagic,                           \
                                            sizeof(qsohost::PluginTable),              \
                                            QSOHOST_API_NUMBER,                        \
                                            qsohost::layout_hash(),                    \
                                            NAME,                                      \
                                            VERSION,                                   \
                                            qsohost_stages.size(),                     \
                                            qsohost_stages.data()};                    \
  }                                                                                    \
  static_assert(true, "a semicolon may follow")
