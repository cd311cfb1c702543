// Hand-made responses of the ZTF light-curve service, and a batch for them.
#pragma once

#include <fmt/format.h>

#include <qsohost/batch.hpp>

#include <string>

#include "ztf_answer.hpp"

inline const std::string kHeader =
    "oid,expid,hjd,mjd,mag,magerr,catflags,filtercode,ra,dec,chi,sharp,filefracday,field,ccdid,qid,"
    "limitmag,magzp,magzprms,clrcoeff,clrcounc,exptime,airmass,programid\n";

struct Row {
  std::string oid = "675103300002930";
  std::string mjd = "58202.3531";
  std::string mag = "17.5";
  std::string filter = "zg";
  std::string ra = "10.0";
  std::string dec = "20.0";
  std::string hjd = "2458202.857";
  std::string catflags = "0";
  std::string field = "675";
  std::string ccdid = "0x3";
  std::string qid = "0x4";
};

inline std::string line(const Row& r) {
  return fmt::format(
      "{},54248304,{},{},{},0.0177031122,{},{},{},{},0.725000024,-0.003,20180627483032,{},{},{},"
      "19.42,26.2383842,0.0374238677,-0.0575410537,8.82756503e-05,30,1.58299994,1\n",
      r.oid, r.hjd, r.mjd, r.mag, r.catflags, r.filter, r.ra, r.dec, r.field, r.ccdid, r.qid);
}

// As the host prepares a batch of so many objects for a stage called "ztf".
inline void add_ztf_groups(qsohost::Batch& batch, std::size_t objects) {
  qsohost::Ports ports;
  ztf::declare_columns(ports, "ztf", ztf::kAllBands);
  for (const auto& info : ports.added_groups()) batch.add_group(info);
  for (const auto& port : ports.added()) {
    const bool is_of_object = port.group.empty();
    qsohost::ColumnSet& set = is_of_object ? batch.objects() : batch.group(port.group);
    qsohost::Column& column = set.add({port.name, *port.dtype, port.unit, port.help});
    if (is_of_object) column.resize(objects);
  }
}

inline std::vector<std::string> group_names(const qsohost::Batch& batch) {
  std::vector<std::string> names;
  for (const qsohost::Group& group : batch.groups()) names.push_back(group.name());
  return names;
}
