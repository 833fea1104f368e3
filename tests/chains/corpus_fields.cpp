// The fields of a certificate: encoding, version, serial number, the two algorithms, and the dates.
#include "corpus.hpp"

#include <utility>

namespace corpus {

namespace {

Blob utc(const std::string& text) { return der_text(0x17, text); }
Blob generalized(const std::string& text) { return der_text(0x18, text); }

/// Bytes that are changed after all signatures were made; the first certificate's or the second's.
Question edited(std::size_t position, void (*change)(Blob&)) {
  Question question = plan().question();
  change(question.chain[position]);
  return question;
}

void add_encodings(Area& area) {
  const Question usual = plan().question();
  struct Row {
    const char* what;
    void (*change)(Blob&);
  };
  static constexpr Row rows[] = {
      {"nothing stands behind the certificate", [](Blob& der) { der.push_back(0); }},
      {"no byte is missing", [](Blob& der) { der.pop_back(); }},
      {"the length of the whole is in the shortest form",
       [](Blob& der) {
         der[1] = 0x83;
         der.insert(der.begin() + 2, 0x00);
       }},
      {"the length of the whole is definite",
       [](Blob& der) {
         der[1] = 0x80;
         der.erase(der.begin() + 2, der.begin() + 4);
         der.insert(der.end(), {0x00, 0x00});
       }},
  };
  for (const Row& row : rows)
    for (const std::size_t position : {std::size_t{0}, std::size_t{1}})
      area.pair(row.what + std::string(position == 0 ? "" : ", of the authority"), usual, edited(position, row.change),
                unreadable(position));
}

void add_versions(Area& area) {
  area.pair(
      "the server's certificate is of version 3", plan(), [](Plan& p) { p.leaf.version1 = true; }, old_version(0));
  area.pair(
      "the authority's certificate is of version 3", plan(), [](Plan& p) { p.authority().version1 = true; },
      no_authority(1));
  area.pair("the root is of version 3", plan(), [](Plan& p) { p.root.version1 = true; }, no_authority(2));
  for (const unsigned version : {1U, 2U})
    for (const std::size_t position : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
      Plan bad = plan();
      bad.at(position).version = version;
      area.pair("version 3, not " + std::to_string(version) + ", has extensions, at " + std::to_string(position),
                plan(), bad, malformed(position).and_more());
    }
  area.pair("there is no version 4", plan(), [](Plan& p) { p.leaf.version = 4; }, unreadable(0));
  area.pair("an extension in the list", plan(), [](Plan& p) { p.leaf.extension_list = Blob(); }, unreadable(0));
}

void add_serials(Area& area) {
  struct Row {
    const char* what;
    Blob good;
    Blob bad;
    Verdict (*verdict)(std::size_t);
  };
  const Row rows[] = {
      {"a serial number that is not zero", {0x01}, {0x00}, bad_serial},
      {"a serial number that is positive", {0x00, 0x80}, {0x80}, bad_serial},
      {"a longer serial number that is positive", {0x7F, 0x01}, {0xFF, 0x01}, bad_serial},
      {"a serial number of twenty bytes", Blob(20, 0x7F), Blob(21, 0x7F), bad_serial},
      {"a serial number in the shortest form", {0x01}, {0x00, 0x01}, unreadable},
      {"a serial number that has bytes", {0x7F}, {}, unreadable},
  };
  for (const Row& row : rows)
    for (const std::size_t position : {std::size_t{0}, std::size_t{1}}) {
      Plan good = plan();
      good.at(position).serial_bytes = row.good;
      Plan bad = plan();
      bad.at(position).serial_bytes = row.bad;
      area.pair(row.what + std::string(position == 0 ? "" : ", of the authority"), good, bad, row.verdict(position));
    }
  // An anchor is an input, however it is numbered.
  area.pair(
      "zero is the root's serial number, not the authority's", [](Plan& p) { p.root.serial_bytes = Blob{0x00}; },
      [](Plan& p) { p.authority().serial_bytes = Blob{0x00}; }, bad_serial(1));
}

void add_algorithms(Area& area) {
  for (const std::size_t position : {std::size_t{0}, std::size_t{1}}) {
    Plan bad = plan();
    bad.at(position).outer_algorithm = der(0x30, der_oid("1.2.840.10045.4.3.3"));
    area.pair("the algorithm outside is the one that is signed, at " + std::to_string(position), plan(), bad,
              unreadable(position));
    bad.at(position).outer_algorithm = der(0x30, {der_oid("1.2.840.10045.4.3.2"), Blob{0x05, 0x00}});
    area.pair("the algorithm outside has no other parameters, at " + std::to_string(position), plan(), bad,
              unreadable(position));
  }
}

void add_dates(Area& area) {
  static constexpr const char* places[] = {"server's certificate", "authority's certificate", "root"};
  for (std::size_t position = 0; position < 3; ++position) {
    const std::string whose = std::string("the ") + places[position] + ": ";
    Plan from = plan();
    from.at(position).not_before = now;
    Plan to = plan();
    to.at(position).not_after = now;
    const auto at = [](Plan plan, std::int64_t time) {
      plan.time = time;
      return plan;
    };
    area.pair(whose + "the first second", from, at(from, now - 1), not_yet_valid(position));
    area.pair(whose + "the second after it", at(from, now + 1), at(from, now - day), not_yet_valid(position));
    area.pair(whose + "the last second", to, at(to, now + 1), expired(position));
    area.pair(whose + "the second before it", at(to, now - 1), at(to, now + day), expired(position));
  }

  Plan far = plan();
  far.root.not_after_text = far.authority().not_after_text = "29991231235959Z";
  far.leaf.validity = join({utc("491231235959Z"), generalized("20501231235959Z")});
  far.time = 2'540'000'000;                                                                       // in June 2050
  area.pair("the years 2049 and 2050", far, [](Plan& p) { p.time = 2'556'144'000; }, expired(0)); // 2051
  area.pair(
      "a date before 2050 with two digits of the year",
      [](Plan& p) { p.leaf.validity = join({utc("260501000000Z"), utc("260731000000Z")}); },
      [](Plan& p) { p.leaf.validity = join({utc("260501000000Z"), utc("260531235959Z")}); }, expired(0));
  area.pair(
      "two digits of the year from 50 on are the twentieth century",
      [](Plan& p) { p.leaf.validity = join({utc("500101000000Z"), utc("260731000000Z")}); },
      [](Plan& p) { p.leaf.validity = join({utc("490101000000Z"), utc("490731000000Z")}); }, not_yet_valid(0));
  area.pair(
      "the dates are the right way round", plan(),
      [](Plan& p) {
        p.leaf.not_before = now + day;
        p.leaf.not_after = now - day;
      },
      expired(0));
  struct Row {
    const char* what;
    Blob bad;
  };
  const Row rows[] = {
      {"a time has seconds", utc("2607310000Z")},
      {"a time is in UTC", utc("260731000000+0000")},
      {"a time has no fractions of seconds", generalized("20260731000000.5Z")},
      {"a time has a month of the calendar", utc("261331000000Z")},
      {"a time has a day of the calendar", utc("260732000000Z")},
      {"a time is a UTCTime or a GeneralizedTime", der_text(0x0C, "260731000000Z")},
  };
  for (const Row& row : rows) {
    Plan good = plan();
    good.leaf.validity = join({utc("260501000000Z"), utc("260731000000Z")});
    Plan bad = good;
    bad.leaf.validity = join({utc("260501000000Z"), row.bad});
    area.pair(row.what, good, bad, unreadable(0));
  }
}

} // namespace

void add_fields(std::vector<Pair>& to) {
  Area area(to, "fields");
  add_encodings(area);
  add_versions(area);
  add_serials(area);
  add_algorithms(area);
  add_dates(area);
}

} // namespace corpus
