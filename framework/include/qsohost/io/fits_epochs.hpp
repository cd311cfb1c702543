// Where the array columns of a FITS table belong in a batch. Products state it in their headers, so
// that a reader does not depend on surveys:
//
//   QLCk                   a light curve, i.e. a group of a batch: 'gaia.g'; k counts from 1
//   QSURVk, QBANDk         its survey and band
//   QTIMEk, QMAGk, QMERRk  its columns of times, magnitudes and errors, as a batch calls them
//   QTSYSk                 its time system
//   QPOSk                  'F' if products of its survey omit ra and dec of the objects
//   QCOLn                  a column of the table (TTYPE): 'g_transit_time'; n counts from 1
//   QINn, QNAMEn           the light curve that it belongs to, and what a batch calls it: 'time'
//   QXTRAn                 'T' if it is not one of the usual columns of its survey's product
//
// A column is found by its name, so a program may move or remove columns if it keeps all other
// keywords. Keywords without a value are left out.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "qsohost/batch.hpp"
#include "qsohost/io/fits.hpp"
#include "qsohost/io/input_table.hpp"

namespace qsohost::inline io_v1 {

struct FitsEpochColumn {
  std::string column;      // of the table
  std::string group;       // name of its light curve
  std::string name;        // in that group
  bool in_product = true;  // see Port::in_product
};

struct FitsEpochs {
  std::vector<GroupInfo> groups;
  std::vector<FitsEpochColumn> columns;
};

QSOHOST_API std::vector<FitsKeyword> epoch_keywords(const FitsEpochs& epochs);

// Columns whose light curve is not described are left out; a table without such keywords has none.
QSOHOST_API FitsEpochs read_epoch_keywords(const InputTable& table);

}  // namespace qsohost::inline io_v1
