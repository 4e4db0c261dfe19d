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

TEST(Template, KnowsMoreVariablesInAccessLogs) {
  for (std::size_t i = 0; i < kLogVariables.size(); ++i) {
    std::string text = "$" + std::string(kLogVariables.at(i).name);
    auto parsed = parse_template(text, TemplateUse::access_log);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(static_cast<std::size_t>(parsed->parts.at(0).variable),
              i + static_cast<std::size_t>(kFirstOfLogs));
    EXPECT_FALSE(kLogVariables.at(i).sentence.empty());
    auto elsewhere = parse_template(text);
    ASSERT_FALSE(elsewhere) << text;
    EXPECT_TRUE(elsewhere.error().hint.contains("access logs")) << elsewhere.error().hint;
  }
  EXPECT_EQ(parse_template("$status", TemplateUse::access_log)->parts.at(0).variable, Variable::status);
  EXPECT_EQ(parse_template("$reason", TemplateUse::access_log)->parts.at(0).variable, Variable::reason);
  EXPECT_TRUE(parse_template("$host", TemplateUse::access_log));
  EXPECT_TRUE(
      parse_template("$statsu", TemplateUse::access_log).error().hint.contains("did you mean `status`?"));
  EXPECT_FALSE(parse_template("$statsu").error().hint.contains("`status`"));
}

TEST(Template, IsALineOfAnAccessLogByAWordOrByItself) {
  auto form_of = [](std::string_view text) { return parse_value<LineForm>(text, {}); };
  EXPECT_EQ(form_of("text")->kind, LineForm::Kind::text);
  EXPECT_EQ(form_of("json")->kind, LineForm::Kind::json);
  for (const char* text : {"common", "combined", "$client_address|$status", "a $host"}) {
    auto form = form_of(text);
    ASSERT_TRUE(form) << text;
    EXPECT_FALSE(form->line.parts.empty()) << text;
    EXPECT_EQ(value_text(*form, {}), text);
  }
  EXPECT_EQ(form_of("combined")->kind, LineForm::Kind::combined);
  EXPECT_EQ(form_of("$status")->kind, LineForm::Kind::own);
  for (const char* text : {"", "plain", "$nothing", "$status\n", "$status\t", "$1 $status", "on"}) {
    EXPECT_FALSE(form_of(text)) << text;
  }
  EXPECT_EQ(form_of("comon").error().hint, "did you mean `common`?");
}

TEST(Template, TellsItsLastCapture) {
  EXPECT_EQ(last_capture(*parse_template("$host")), 0);
  EXPECT_EQ(last_capture(*parse_template("$3/$1")), 3);
}

}  // namespace
}  // namespace lockgate::config
