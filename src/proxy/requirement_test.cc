// What `require` says of whom, by a table: a requirement, a situation, and what becomes of the wish to enter.
#include "guard/requirement.h"

#include <gtest/gtest.h>

#include "proxy/guard_plan.h"
#include "proxy/made_house.h"
#include "tls/made_folder.h"

namespace lockgate::proxy {
namespace {

using guard::Finding;

constexpr Finding kIn = Finding::granted, k403 = Finding::denied, k401 = Finding::undecided;

// Tuesday, 14 November 2023, 22:13:20 UTC, as the clocks of tests tell it.
constexpr WallTime kTuesdayEvening = 1'700'000'000'000'000'000, kHour = 3'600'000'000'000;

struct Case {
  const char* require;
  // "user=ann ip=10.1.2.3 method=POST tls=1.3/256 https cert key=x hour=+9": what is not said is nobody from
  // 192.0.2.9, who gets something over plain HTTP.
  const char* situation;
  Finding outcome;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.require << " | " << one.situation; }

class Requirements : public testing::Test {
 protected:
  Requirements() {
    std::string users = "ann:aaUzUi3eWLkYw\nbob:aaUzUi3eWLkYw\neve:aaUzUi3eWLkYw\n";
    std::string groups = "staff: ann bob\nformer: bob\nempty:\n";
    users_ = folder_.file("users", users);
    groups_ = folder_.file("groups", groups);
    known_ = std::make_shared<guard::Users>(*wire::UserFile::read(users), *wire::GroupFile::read(groups));
  }

  Finding find(const Case& one) {
    std::string text = "users: { all: { file: " + users_ + ", groups: " + groups_ +
                       " } }\n"
                       "certificates: { own: self_signed }\n"
                       "listeners:\n  - bind: 127.0.0.1:1\n    sites:\n      - names: [default]\n"
                       "        tls: { client_certificate: { ask: optional, ca_file: /ca.pem } }\n"
                       "        sign_in: { users: all }\n        require: " +
                       std::string(one.require) +
                       "\n        terminate: { certificate: own, to: 'http://127.0.0.1:2' }\n";
    auto config = made_config(text);
    std::vector<Regex> regexes;
    guard::AddressBook book(1);
    guard::Requirement::Materials materials{
        .pattern =
            [&](const std::string& pattern) {
              regexes.push_back(*Regex::compile(pattern));
              return static_cast<std::uint32_t>(regexes.size() - 1);
            },
        .addresses = [&](const config::Addresses& given) { return guard::AddressRule(given, book); }};
    guard::Requirement requirement(config::effective_requirement(config->listeners[0].sites[0].routes[0]),
                                   materials);
    guard::Situation situation{.method = "GET", .users = known_.get(), .now = kTuesdayEvening};
    situation.regexes = regexes;
    Ip ip = *Ip::parse("192.0.2.9");
    situation.client = &ip;
    std::vector<wire::HeadField> fields;
    std::vector<std::string> words;
    std::istringstream in(one.situation);
    for (std::string word; in >> word;) words.push_back(word);
    for (const std::string& word : words) {
      std::string_view value = std::string_view(word).substr(std::min(word.find('=') + 1, word.size()));
      if (word.starts_with("user=")) situation.user = value;
      if (word.starts_with("ip=")) ip = *Ip::parse(value);
      if (word == "unix") situation.client = nullptr;
      if (word.starts_with("method=")) situation.method = value;
      if (word == "https" || word.starts_with("tls=")) situation.https = true;
      if (word.starts_with("tls=1.2")) situation.tls_version = 0x0303;
      if (word.starts_with("tls=1.3")) situation.tls_version = 0x0304;
      if (word.starts_with("tls=")) situation.cipher_bits = word.ends_with("/256") ? 256 : 128;
      if (word == "cert") situation.certificate = &certificate_;
      if (word == "nameless") situation.certificate = &nameless_;
      if (word.starts_with("key=")) fields.push_back({"x-key", value, wire::FieldName::other});
      if (word.starts_with("hour=")) situation.now += std::stoi(std::string(value)) * kHour;
    }
    situation.fields = fields;
    return requirement.find(situation);
  }

  tls::made::Folder folder_;
  std::string users_, groups_;
  std::shared_ptr<const guard::Users> known_;
  guard::ShownCertificate nameless_{.issuer =
                                        "CN=Example CA"};  // all that it is for is in its subjectAltName
  guard::ShownCertificate certificate_{
      .subject = "CN=ann,O=Example",
      .issuer = "CN=Example CA",
      .fingerprint = std::string(64, 'a'),
      .names = {"host.example.com", "ann@mail.example.org", "*.wild.example", "192.0.2.1"}};
};

// NOLINTBEGIN(readability-function-size): tables.

TEST_F(Requirements, DecideAboutUsers) {
  for (const Case& one : std::initializer_list<Case>{
           {"anybody", "", kIn},
           {"nobody", "", k403},
           {"nobody", "user=ann", k403},
           {"signed_in", "", k401},
           {"signed_in", "user=eve", kIn},
           {"{ signed_in: yes }", "", k401},
           {"{ user: ann }", "", k401},
           {"{ user: ann }", "user=ann", kIn},
           {"{ user: ann }", "user=bob", k403},
           {"{ user: ann }", "user=Ann", k403},
           {"{ user: [ann, bob] }", "user=bob", kIn},
           {"{ group: staff }", "", k401},
           {"{ group: staff }", "user=ann", kIn},
           {"{ group: staff }", "user=eve", k403},
           {"{ group: [former, staff] }", "user=ann", kIn},
           {"{ group: empty }", "user=ann", k403},
           {"{ group: unknown }", "user=ann", k403},
           {"{ user: ann, group: staff }", "user=ann", kIn},
           {"{ user: ann, group: former }", "user=ann", k403},
           {"{ user: ann, group: former }", "", k401},
           {"{ user: eve, group: staff }", "user=eve", k403},
           {"{ any: [{ group: staff }, { user: eve }] }", "", k401},
           {"{ any: [{ group: staff }, { user: eve }] }", "user=eve", kIn},
           {"{ any: [{ group: staff }, { user: eve }] }", "user=ann", kIn},
           {"{ any: [{ group: former }, { user: eve }] }", "user=ann", k403},
           {"{ all: [{ group: staff }, { group: former }] }", "user=bob", kIn},
           {"{ all: [{ group: staff }, { group: former }] }", "user=ann", k403},
           {"{ signed_in: yes, none: [{ user: eve }] }", "user=ann", kIn},
           {"{ signed_in: yes, none: [{ user: eve }] }", "user=eve", k403},
           {"{ signed_in: yes, none: [{ user: eve }] }", "", k401},
           {"{ group: staff, none: [{ group: former }] }", "user=ann", kIn},
           {"{ group: staff, none: [{ group: former }] }", "user=bob", k403},
           {"{ all: [anybody], none: [{ user: eve }] }", "", k401},
           {"{ all: [anybody], none: [{ user: eve }] }", "user=ann", kIn},
           {"{ signed_in: yes, none: [{ user: eve, group: staff }] }", "user=eve", kIn},
       })
    EXPECT_EQ(find(one), one.outcome) << testing::PrintToString(one);
}

TEST_F(Requirements, DecideAboutNetworks) {
  for (const Case& one : std::initializer_list<Case>{
           {"{ networks: 10.0.0.0/8 }", "ip=10.1.2.3", kIn},
           {"{ networks: 10.0.0.0/8 }", "", k403},
           {"{ networks: 10.0.0.0/8 }", "user=ann", k403},
           {"{ networks: 10.0.0.0/8 }", "unix", k403},
           {"{ networks: [10.0.0.0/8, '2001:db8::/32'] }", "ip=2001:db8::1", kIn},
           {"{ networks: [10.0.0.0/8, '2001:db8::/32'] }", "ip=2001:db9::1", k403},
           {"{ networks: 10.0.0.0/8 }", "ip=::ffff:10.0.0.1", kIn},
           {"{ networks: 10.0.0.0/8, signed_in: yes }", "ip=10.0.0.1", k401},
           {"{ networks: 10.0.0.0/8, signed_in: yes }", "ip=10.0.0.1 user=ann", kIn},
           {"{ networks: 10.0.0.0/8, signed_in: yes }", "", k403},
           {"{ networks: 10.0.0.0/8, signed_in: yes }", "user=ann", k403},
           {"{ any: [{ networks: 10.0.0.0/8 }, signed_in] }", "ip=10.0.0.1", kIn},
           {"{ any: [{ networks: 10.0.0.0/8 }, signed_in] }", "", k401},
           {"{ any: [{ networks: 10.0.0.0/8 }, signed_in] }", "user=eve", kIn},
           {"{ any: [signed_in, { networks: 10.0.0.0/8 }] }", "ip=10.0.0.1", kIn},
           {"{ all: [anybody], none: [{ networks: 192.0.2.0/24 }] }", "", k403},
           {"{ all: [anybody], none: [{ networks: 192.0.2.0/24 }] }", "ip=10.0.0.1", kIn},
           {"{ all: [anybody], none: [{ networks: 192.0.2.0/24 }] }", "unix", kIn},
           {"{ signed_in: yes, none: [{ networks: 192.0.2.0/24 }] }", "", k403},
           {"{ signed_in: yes, none: [{ networks: 192.0.2.0/24 }] }", "ip=10.0.0.1", k401},
           {"{ any: [{ networks: 10.0.0.0/8, group: staff }, { user: eve }] }", "", k401},
           {"{ any: [{ networks: 10.0.0.0/8, group: staff }, { user: eve }] }", "user=ann", k403},
           {"{ any: [{ networks: 10.0.0.0/8, group: staff }, { user: eve }] }", "user=ann ip=10.0.0.1", kIn},
           {"{ any: [{ networks: 10.0.0.0/8, group: staff }, nobody] }", "", k403},
           {"{ signed_in: yes, none: [{ networks: 192.0.2.0/24, user: eve }] }", "user=ann", kIn},
           {"{ signed_in: yes, none: [{ networks: 192.0.2.0/24, user: eve }] }", "user=eve", k403},
           {"{ signed_in: yes, none: [{ networks: 192.0.2.0/24, user: eve }] }", "user=eve ip=10.0.0.1", kIn},
       })
    EXPECT_EQ(find(one), one.outcome) << testing::PrintToString(one);
}

TEST_F(Requirements, DecideAboutMethodsFieldsAndTls) {
  for (const Case& one : std::initializer_list<Case>{
           {"{ methods: GET }", "", kIn},
           {"{ methods: GET }", "method=HEAD", kIn},
           {"{ methods: GET }", "method=POST", k403},
           {"{ methods: HEAD }", "", k403},
           {"{ methods: [POST, PUT] }", "method=PUT", kIn},
           {"{ methods: GET }", "method=get", k403},
           {"{ any: [{ methods: GET }, { group: staff }] }", "", kIn},
           {"{ any: [{ methods: GET }, { group: staff }] }", "method=POST", k401},
           {"{ any: [{ methods: GET }, { group: staff }] }", "method=POST user=eve", k403},
           {"{ all: [anybody], none: [{ methods: DELETE }] }", "method=DELETE", k403},
           {"{ all: [anybody], none: [{ methods: DELETE }] }", "", kIn},
           {"{ fields: { X-Key: one } }", "key=one", kIn},
           {"{ fields: { X-Key: one } }", "key=two", k403},
           {"{ fields: { X-Key: one } }", "key=One", k403},
           {"{ fields: { X-Key: one } }", "key=one1", k403},
           {"{ fields: { X-Key: one } }", "", k403},
           {"{ fields: { X-Key: one } }", "key=two key=one", kIn},
           {"{ fields: { X-Key: '*' } }", "key=anything", kIn},
           {"{ fields: { X-Key: '*' } }", "", k403},
           {"{ fields: { X-Key: one, X-Other: '*' } }", "key=one", k403},
           {"{ any: [{ fields: { X-Key: one } }, signed_in] }", "", k401},
           {"{ any: [{ fields: { X-Key: one } }, signed_in] }", "key=one", kIn},
           {"tls", "", k403},
           {"tls", "https", kIn},
           {"tls", "tls=1.2/128", kIn},
           {"{ tls: yes }", "tls=1.3/256", kIn},
           {"{ tls: { version: '1.2' } }", "tls=1.2/128", kIn},
           {"{ tls: { version: '1.3' } }", "tls=1.2/256", k403},
           {"{ tls: { version: '1.3' } }", "tls=1.3/128", kIn},
           {"{ tls: { version: '1.2' } }", "https", k403},
           {"{ tls: { cipher_bits: 256 } }", "tls=1.3/128", k403},
           {"{ tls: { cipher_bits: 256 } }", "tls=1.3/256", kIn},
           {"{ tls: { cipher_bits: 128, version: '1.3' } }", "tls=1.3/256", kIn},
           {"{ tls: yes, signed_in: yes }", "", k403},
           {"{ tls: yes, signed_in: yes }", "https", k401},
       })
    EXPECT_EQ(find(one), one.outcome) << testing::PrintToString(one);
}

TEST_F(Requirements, DecideAboutCertificates) {
  for (const Case& one : std::initializer_list<Case>{
           {"client_certificate", "", k403},
           {"client_certificate", "tls=1.3/256", k403},
           {"client_certificate", "tls=1.3/256 cert", kIn},
           {"{ client_certificate: { subject: 'CN=ann,O=Example' } }", "cert", kIn},
           {"{ client_certificate: { subject: 'CN=ann' } }", "cert", k403},
           {"{ client_certificate: { subject: 'cn=ann,o=example' } }", "cert", k403},
           {"{ client_certificate: { subject: '~O=Example$' } }", "cert", kIn},
           {"{ client_certificate: { subject: '~^O=' } }", "cert", k403},
           {"{ client_certificate: { subject: [CN=x, '~ann'] } }", "cert", kIn},
           {"{ client_certificate: { subject: '~.*' } }", "cert", kIn},
           {"{ client_certificate: { subject: '~.*' } }", "", k403},
           {"{ client_certificate: { subject: '~^$' } }", "tls=1.3/256", k403},
           {"{ client_certificate: { subject: '~^$' } }", "cert", k403},
           {"{ client_certificate: { subject: '~^$' } }", "nameless", kIn},
           {"{ client_certificate: { subject: '~CN=' } }", "nameless", k403},
           {"{ client_certificate: { subject: '~(CN=ann)?' } }", "nameless", kIn},
           {"{ client_certificate: { subject: [CN=x, '~.'] } }", "nameless", k403},
           {"{ all: [anybody], none: [{ client_certificate: { subject: '~.*' } }] }", "", kIn},
           {"{ client_certificate: { issuer: 'CN=Example CA' } }", "cert", kIn},
           {"{ client_certificate: { issuer: 'CN=Other CA' } }", "cert", k403},
           {"{ client_certificate: { issuer: 'CN=Example CA', subject: CN=x } }", "cert", k403},
           {"{ client_certificate: { names: host.example.com } }", "cert", kIn},
           {"{ client_certificate: { names: '*.example.com' } }", "cert", kIn},
           {"{ client_certificate: { names: '*.example.org' } }", "cert", k403},
           {"{ client_certificate: { names: ann@mail.example.org } }", "cert", kIn},
           {"{ client_certificate: { names: [x.example.com, 192.0.2.1] } }", "cert", kIn},
           {"{ client_certificate: { names: a.wild.example } }", "cert", k403},
           {"{ client_certificate: { names: '*.0.2.1' } }", "cert", k403},
           {"{ client_certificate: { fingerprints: "
            "AA:AA:AA:AA:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa } }",
            "cert", kIn},
           {"{ client_certificate: { fingerprints: "
            "baaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa } }",
            "cert", k403},
           {"{ any: [client_certificate, signed_in] }", "", k401},
           {"{ any: [client_certificate, signed_in] }", "cert", kIn},
           {"{ client_certificate: yes, signed_in: yes }", "", k403},
           {"{ client_certificate: yes, signed_in: yes }", "cert", k401},
           {"{ all: [anybody], none: [{ client_certificate: { subject: '~CN=ann' } }] }", "cert", k403},
           {"{ all: [anybody], none: [{ client_certificate: { subject: '~CN=ann' } }] }", "", kIn},
       })
    EXPECT_EQ(find(one), one.outcome) << testing::PrintToString(one);
}

TEST_F(Requirements, DecideAboutTimes) {
  for (const Case& one : std::initializer_list<Case>{
           {"{ time: { from: '22:00', zone: UTC } }", "", kIn},
           {"{ time: { from: '22:14', zone: UTC } }", "", k403},
           {"{ time: { from: '22:13', zone: UTC } }", "", kIn},
           {"{ time: { until: '22:13', zone: UTC } }", "", k403},
           {"{ time: { until: '22:14', zone: UTC } }", "", kIn},
           {"{ time: { from: '08:00', until: '18:00', zone: UTC } }", "", k403},
           {"{ time: { from: '08:00', until: '18:00', zone: UTC } }", "hour=10", kIn},
           {"{ time: { days: mon-fri, zone: UTC } }", "", kIn},
           {"{ time: { days: [mon, wed-sun], zone: UTC } }", "", k403},
           {"{ time: { days: tue, zone: UTC } }", "hour=2", k403},
           {"{ time: { days: fri-tue, zone: UTC } }", "", kIn},
           {"{ time: { days: fri-mon, zone: UTC } }", "", k403},
           {"{ time: { days: tue, from: '22:00', until: '06:00', zone: UTC } }", "", kIn},
           {"{ time: { days: tue, from: '22:00', until: '06:00', zone: UTC } }", "hour=7", kIn},
           {"{ time: { days: tue, from: '22:00', until: '06:00', zone: UTC } }", "hour=8", k403},
           {"{ time: { days: wed, from: '22:00', until: '06:00', zone: UTC } }", "hour=7", k403},
           {"{ time: { days: tue, zone: UTC }, signed_in: yes }", "", k401},
           {"{ time: { days: wed, zone: UTC }, signed_in: yes }", "", k403},
       })
    EXPECT_EQ(find(one), one.outcome) << testing::PrintToString(one);
}

TEST_F(Requirements, NestAsDeepAsTheyAreWritten) {
  const char* tree =
      "{ all: [{ any: [{ networks: 10.0.0.0/8 }, { all: [tls, { any: [{ group: staff }, { user: eve }] }] }] "
      "}], "
      "none: [{ any: [{ user: bob }, { methods: DELETE }] }] }";
  const char* staff_only =
      "{ any: [{ all: [signed_in, { none: [{ user: eve }], networks: 10.0.0.0/8 }] }, nobody] }";
  const char* all_but_staff =
      "{ all: [signed_in], none: [{ all: [{ group: staff }, { any: [tls, { user: bob }] }] }] }";
  for (const Case& one : std::initializer_list<Case>{
           {staff_only, "", k403},
           {staff_only, "user=ann", k403},
           {staff_only, "ip=10.0.0.1", k401},
           {staff_only, "ip=10.0.0.1 user=eve", k403},
           {staff_only, "ip=10.0.0.1 user=ann", kIn},
           {staff_only, "unix user=ann", k403},
           {all_but_staff, "", k401},
           {all_but_staff, "user=ann", kIn},
           {all_but_staff, "user=ann https", k403},
           {all_but_staff, "user=bob", k403},
           {all_but_staff, "user=eve https", kIn},
           {"{ any: [anybody], none: [nobody] }", "", kIn},
           {"{ any: [anybody, signed_in], none: [anybody] }", "", k403},
           {"{ any: [nobody, { any: [nobody, signed_in] }] }", "", k401},
           {"{ all: [anybody], none: [signed_in] }", "", k401},
           {"{ all: [anybody], none: [signed_in] }", "user=ann", k403},
           {"{ all: [anybody], none: [{ any: [client_certificate, tls] }] }", "cert", k403},
           {"{ all: [anybody], none: [{ client_certificate: yes, user: eve }] }", "", kIn},
           {"{ all: [anybody], none: [{ client_certificate: yes, user: eve }] }", "cert", k401},
           {tree, "", k403},
           {tree, "https", k401},
           {tree, "https user=ann", kIn},
           {tree, "https user=eve", kIn},
           {tree, "https user=bob", k403},
           {tree, "https user=ann method=DELETE", k403},
           {tree, "https method=DELETE", k403},
           {tree, "ip=10.0.0.1", k401},
           {tree, "ip=10.0.0.1 user=ann", kIn},
           {tree, "ip=10.0.0.1 user=bob", k403},
           {tree, "ip=10.0.0.1 method=DELETE", k403},
       })
    EXPECT_EQ(find(one), one.outcome) << testing::PrintToString(one);
}

// NOLINTEND(readability-function-size)

TEST_F(Requirements, FollowTheClockOfTheMachine) {
  ::setenv("TZ", "XYZ-9", 1);  // nine hours before UTC
  ::tzset();
  EXPECT_EQ(find({"{ time: { days: wed, from: '07:13', until: '07:14' } }", "", kIn}), kIn);
  ::unsetenv("TZ");
  ::tzset();
}

}  // namespace
}  // namespace lockgate::proxy
