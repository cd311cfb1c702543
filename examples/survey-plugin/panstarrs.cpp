// Detections of Pan-STARRS1 DR2 from MAST: the mean object nearest the target, then its detections.
// API: https://catalogs.mast.stsci.edu/docs/panstarrs.html
// Columns: https://outerspace.stsci.edu/display/PANSTARRS/PS1+Detection+table+fields
#include <cmath>
#include <qsohost/io/text.hpp>
#include <qsohost/plugin.hpp>
#include <qsohost/sphere.hpp>

namespace {

using namespace qsohost;
const std::string kBands = "grizy";  // filterID 1 to 5

class PanStarrs final : public ObjectFetcher {
 public:
  Option<Url> url{this,
                  "url",
                  {"https://catalogs.mast.stsci.edu/api/v0.1/panstarrs/dr2"},
                  "MAST's catalog API, release included"};
  Option<double> radius{this, "radius_arcsec", 1.0, "around the target", {.min = 0.05, .max = 60}};
  In<double> ra{this, "", "ra", "deg", "right ascension of the target, ICRS"};
  In<double> dec{this, "", "dec", "deg", "declination of the target, ICRS"};

  void declare(const Schema&, Ports& ports) const override {
    for (const char b : kBands)
      ports.adds_group({std::string("ps1.") + b, "ps1", {b}, "mjd", "mag", "mag_err", kMjdTai},
                       {{"epoch_id", DType::I64, "", "detectID"},
                        {"mjd", DType::F64, "d", "middle of the exposure (obsTime), TAI"},
                        {"mag", DType::F64, "mag", "AB magnitude of psfFlux"},
                        {"mag_err", DType::F64, "mag", "2.5 / ln 10 x psfFluxErr / psfFlux"}});
  }

  Request request(const Object& o) const override {
    return ask("mean.csv?ra=" + std::to_string(o.number("ra")) + "&dec=" +
                   std::to_string(o.number("dec")) + "&radius=" + std::to_string(*radius / 3600),
               "[objID,raMean,decMean]");
  }

  std::optional<Request> parse(const Object& o, const Request&, const Response& response,
                               Batch& epochs, Counts& counts) const override {
    if (response.body.empty()) throw NotFound("no mean object within the radius");
    TableReader table(response.body);
    if (!table.column("raMean")) return detections(table, epochs, counts), std::nullopt;
    std::string nearest;
    double least = *radius;
    for (TableRow row(table); row.next();) {
      const double arcsec = separation_arcsec(o.number("ra"), o.number("dec"), row.number("raMean"),
                                              row.number("decMean"));
      if (arcsec <= least) least = arcsec, nearest = row.text("objID");
    }
    if (nearest.empty()) throw NotFound("no mean object within the radius");
    return ask("detection.csv?objID=" + nearest, "[detectID,filterID,obsTime,psfFlux,psfFluxErr]");
  }

 private:
  Request ask(const std::string& what, const std::string& columns) const {
    return {.url = url->text + "/" + what + "&pagesize=50000&columns=" + escape(columns)};
  }

  static void detections(TableReader& table, Batch& epochs, Counts& counts) {
    for (TableRow row(table); row.next();) {
      const std::int64_t filter = row.integer("filterID");
      if (filter < 1 || filter > 5) throw BadObject("a detection with an unknown filterID");
      Group& to = epochs.group(std::string("ps1.") + kBands[filter - 1]);
      const double flux = row.number("psfFlux");  // Jy; -999: none
      counts.add(to.name(), flux > 0 ? "epochs" : "epochs without a positive flux");
      if (!(flux > 0)) continue;
      to.at("epoch_id").append(row.integer("detectID"));
      to.at("mjd").append(row.number("obsTime"));
      to.at("mag").append(-2.5 * std::log10(flux / 3631));  // AB: 3631 Jy
      to.at("mag_err").append(kMagPerRelativeFlux * row.number("psfFluxErr") / flux);
    }
  }
};

}  // namespace

QSOHOST_PLUGIN("panstarrs", "1.0.0",
               stage<PanStarrs>("panstarrs", "Pan-STARRS1 DR2 detections from MAST, by position"));
