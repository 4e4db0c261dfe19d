#include "config/template.h"

#include <gtest/gtest.h>

namespace lockgate::config {
namespace {

/// What `text` is made of: plain parts in quotes, captures as numbers, variables by their names.
std::string parts_of(std::string_view text) {
  auto parsed = parse_template(text);
  if (!parsed) return "misfit: " + parsed.error().hint;
  EXPECT_EQ(parsed->written, text);
  std::string result;
  for (const auto& part : parsed->parts) {
    if (!result.empty()) result += ' ';
    if (part.variable == Variable::none)
      result += "'" + part.text + "'";
    else if (part.variable == Variable::capture)
      result += std::to_string(part.capture);
    else
      result +=
          kVariables.at(static_cast<std::size_t>(part.variable) - static_cast<std::size_t>(kFirstNamed)).name;
  }
  return result;
}

TEST(Template, IsTakenApartIntoPlainTextAndVariables) {
  EXPECT_EQ(parts_of(""), "");
  EXPECT_EQ(parts_of("plain"), "'plain'");
  EXPECT_EQ(parts_of("$host"), "host");
  EXPECT_EQ(parts_of("https://$host/new/$1"), "'https://' host '/new/' 1");
  EXPECT_EQ(parts_of("${host}_$path$query."), "host '_' path query '.'");
  EXPECT_EQ(parts_of("$client_address,$client_port"), "client_address ',' client_port");
}

TEST(Template, KnowsCapturesByOneDigit) {
  EXPECT_EQ(parts_of("$1$9"), "1 9");
  EXPECT_EQ(parts_of("$10"), "1 '0'");
  EXPECT_EQ(parts_of("${2}3a"), "2 '3a'");
}

TEST(Template, TakesTwoDollarsForOne) {
  EXPECT_EQ(parts_of("$$"), "'$'");
  EXPECT_EQ(parts_of("a$$host"), "'a$host'");
  EXPECT_EQ(parts_of("$$$host$$"), "'$' host '$'");
}

TEST(Template, KnowsEveryVariableByItsName) {
  for (std::size_t i = 0; i < kVariables.size(); ++i) {
    auto parsed = parse_template("${" + std::string(kVariables.at(i).name) + "}");
    ASSERT_TRUE(parsed) << kVariables.at(i).name;
    EXPECT_EQ(static_cast<std::size_t>(parsed->parts.at(0).variable),
              i + static_cast<std::size_t>(kFirstNamed));
    EXPECT_FALSE(kVariables.at(i).sentence.empty());
  }
  EXPECT_EQ(parse_template("$ja4")->parts.at(0).variable, Variable::ja4);
  EXPECT_EQ(parse_template("$client_certificate_verify")->parts.at(0).variable,
            Variable::client_certificate_verify);
}

TEST(Template, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(parts_of("$hots"), "misfit: there is no variable `hots`; did you mean `host`?");
  for (const char* text : {"$", "a$", "$ ", "${", "${}", "${host", "$0", "${0}", "${12}", "$Host", "$-",
                           "$none", "$capture", "${a b}"}) {
    EXPECT_TRUE(parts_of(text).starts_with("misfit: ")) << text;
  }
}

TEST(Template, TellsItsLastCapture) {
  EXPECT_EQ(last_capture(*parse_template("$host")), 0);
  EXPECT_EQ(last_capture(*parse_template("$3/$1")), 3);
}

}  // namespace
}  // namespace lockgate::config
