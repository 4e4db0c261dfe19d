#include <nlohmann/json.hpp>

#include "config/fields.h"
#include "config/reference.h"
#include "config/values.h"

namespace lockgate::config {
namespace {

using Json = nlohmann::ordered_json;

/// Grows `$defs`: a section is described once, where it is first met.
class Schema {
 public:
  Json document() {
    Json root = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "Lockgate configuration"}};
    root.update(describe<Config>());
    root["$defs"] = std::move(sections_);
    return root;
  }

 private:
  // What a value may be, by its type.
  template <class T>
  Json of(const T&, const Form& form) {
    if constexpr (Sectioned<T>)
      return reference_to<T>();
    else
      return {{"type", "string"}, {"description", expectation<T>(form)}};
  }
  template <Worded Enum>
  Json of(const Enum&, const Form&) {
    Json words = kWords<Enum>;
    if (from_word<Enum>("on")) words.push_back(true);
    if (from_word<Enum>("off")) words.push_back(false);
    return {{"enum", words}};
  }
  Json of(const std::optional<LogLevel>&, const Form& form) { return of(LogLevel{}, form); }
  Json of(const bool&, const Form&) { return {{"enum", {true, false, "on", "off", "yes", "no"}}}; }
  Json of(const std::uint32_t&, const Form& form) { return of(std::uint64_t{}, form); }
  Json of(const std::uint64_t&, const Form& form) {
    Json number = {{"type", "integer"}, {"minimum", form.least}};
    if (form.most < UINT32_MAX) number["maximum"] = form.most;
    Json choices = Json::array({number});
    if (form.as == As::percent) choices.push_back(pattern("^[0-9]+%$"));
    if (form.as == As::bytes) choices.push_back(pattern("^[0-9]+([KMG]iB)?$"));
    return or_zero(choices, form);
  }
  Json of(const Duration&, const Form& form) {
    Json choices = Json::array({pattern("^(0|[0-9]+(ms|s|m|min|h|d))$")});
    if (form.least == 0) choices.push_back({{"const", 0}});
    return or_zero(choices, form);
  }
  Json of(const Quantity&, const Form&) {
    return any({{{"type", "integer"}, {"minimum", 1}}, pattern("^[0-9]+([KMG]i?B)?$")});
  }
  Json of(const Pace&, const Form&) { return pattern("^[0-9]+([KMG]i?B)?/[0-9]*(ms|s|m|min|h|d)$"); }
  Json of(const LogTarget&, const Form&) {
    return any({{{"enum", {"off", false, "stdout", "stderr", "syslog"}}}, pattern("^/")});
  }
  Json of(const std::optional<SocketAddress>&, const Form& form) {
    return any({{{"enum", {"off", false}}}, of(SocketAddress{}, form)});
  }
  Json of(const AccessLog&, const Form& form) {
    return any({of(LogTarget{}, form), reference_to<AccessLog>()});
  }
  Json of(const Endpoint&, const Form& form) {
    if (form.as == As::parent_url) return pattern("^(https?|socks5)://");
    return any({{{"type", "string"}}, reference_to<Endpoint>()});
  }
  template <WordList List>
  Json of(const List&, const Form&) {
    Json words = Json::array();
    for_each_field<List>([&](const auto& field) { words.push_back(field.key); });
    return one_or_more({{"enum", words}});
  }
  Json of(const std::vector<FieldReplacement>&, const Form&) {
    return {{"type", "object"}, {"additionalProperties", reference_to<FieldReplacement>()}};
  }
  Json of(const std::vector<FieldValue>&, const Form&) { return map_of_texts(); }
  Json of(const std::vector<ErrorPage>&, const Form&) { return map_of_texts(); }
  Json of(const std::vector<Condition>&, const Form&) { return map_of_texts(); }
  Json of(const std::vector<FixedField>&, const Form&) { return map_of_texts(); }
  Json of(const StatusRange&, const Form&) {
    return any({{{"type", "integer"}, {"minimum", 100}, {"maximum", 599}},
                pattern("^[1-5][0-9]{2}(-[1-5][0-9]{2})?$")});
  }
  Json of(const std::vector<Route>&, const Form&) { return list_or_include(reference_to<WrittenRoute>()); }
  Json of(const Addresses&, const Form&) { return one_or_more({{"type", "string"}}); }
  Json of(const std::vector<AddressList>&, const Form&) {
    return {{"type", "object"},
            {"additionalProperties", any({of(std::vector<Network>(), {}), reference_to<AddressList>()})}};
  }
  template <Shortened T>
  Json of(const T&, const Form&) {
    return any({{{"type", {"string", "boolean"}}}, reference_to<T>()});
  }
  Json of(const ParentChoice&, const Form&) { return {{"type", "string"}}; }
  Json of(const std::vector<Parent>&, const Form&) {
    return {{"type", "object"}, {"additionalProperties", reference_to<Parent>()}};
  }
  Json of(const CertificateChoice&, const Form&) { return {{"type", "string"}}; }
  Json of(const std::vector<Certificate>&, const Form&) {
    return {{"type", "object"},
            {"additionalProperties", any({{{"const", "self_signed"}}, reference_to<Certificate>()})}};
  }
  Json of(const UserListChoice&, const Form&) { return {{"type", "string"}}; }
  Json of(const std::vector<UserList>&, const Form&) {
    return {
        {"type", "object"},
        {"additionalProperties", any({of(std::string(), as(As::absolute_path)), reference_to<UserList>()})}};
  }
  Json of(const UpstreamChoice&, const Form& form) { return of(std::vector<Endpoint>(), form); }
  Json of(const std::vector<Upstream>&, const Form&) {
    return {{"type", "object"}, {"additionalProperties", reference_to<Upstream>()}};
  }
  Json of(const std::vector<Listener>&, const Form&) {
    return {{"type", "array"}, {"items", reference_to<Listener>()}};
  }
  Json of(const std::vector<Site>&, const Form&) { return list_or_include(reference_to<Site>()); }
  template <class T>
  Json of(const std::vector<T>&, const Form& form) {
    if constexpr (std::is_same_v<T, NamePattern>)
      return one_or_more({{"type", "string"}});
    else
      return one_or_more(of(T{}, form));
  }

  static Json pattern(const char* expression) { return {{"type", "string"}, {"pattern", expression}}; }
  static Json any(Json choices) { return {{"anyOf", std::move(choices)}}; }
  static Json one_or_more(const Json& item) { return any({item, {{"type", "array"}, {"items", item}}}); }
  static Json map_of_texts() {
    return {{"type", "object"}, {"additionalProperties", {{"type", {"string", "number", "boolean"}}}}};
  }
  static Json list_or_include(const Json& item) {
    Json include = {{"type", "object"},
                    {"properties", {{"include", files()}}},
                    {"required", {"include"}},
                    {"additionalProperties", false}};
    return {{"type", "array"}, {"items", any({item, include})}};
  }
  static Json files() { return one_or_more({{"type", "string"}}); }
  static Json or_zero(Json choices, const Form& form) {
    if (form.zero) {
      Json words = {form.zero, 0};
      if (form.zero == std::string_view("off")) words.push_back(false);
      choices.push_back({{"enum", words}});
    }
    return choices.size() == 1 ? choices[0] : any(choices);
  }

  template <Sectioned Struct>
  Json reference_to() {
    std::string title(kSection<Struct>.title);
    if (!sections_.contains(title)) {
      sections_[title] = nullptr;
      Json section = describe<Struct>();
      sections_[title] = std::move(section);
    }
    return {{"$ref", "#/$defs/" + title}};
  }

  // What is not of a field's type stands apart from what is: there are hundreds of fields.
  struct Keys {
    Json properties = Json::object(), required = Json::array(), choices = Json::array();

    void add(std::string_view name, std::string_view sentence, Json schema, bool is_required,
             bool is_choice) {
      std::string key(name);
      schema["description"] = sentence;
      properties[key] = std::move(schema);
      if (is_required) required.push_back(key);
      if (is_choice) choices.push_back({{"required", {key}}});
    }
    Json section(std::string_view sentence) const {
      Json section = {{"description", sentence}, {"properties", properties}, {"additionalProperties", false}};
      section["type"] = required.empty() ? Json({"object", "null"}) : Json("object");
      if (!required.empty()) section["required"] = required;
      if (!choices.empty()) section["oneOf"] = choices;
      return section;
    }
  };

  template <Sectioned Struct>
  Json describe() {
    Keys keys;
    for_each_field<Struct>([&](const auto& field) { add_to(keys, field); });
    return keys.section(kSection<Struct>.sentence);
  }
  template <class Field>
  void add_to(Keys& keys, const Field& field) {
    bool is_required = false, is_choice = requires { field.verdict; };
    if constexpr (requires { field.form; })
      is_required = field.form.required, is_choice = field.form.alternative;
    keys.add(field.key, field.sentence, field_schema(field), is_required, is_choice);
  }

  template <class Struct, class Member>
  Json field_schema(const Field<Struct, Member>& field) {
    return of(Member{}, field.form);
  }
  template <class Section>
  Json field_schema(const VerdictField<Section>&) {
    return reference_to<Section>();
  }
  Json field_schema(const VerdictField<Redirect>&) { return of(Template{}, as(As::redirect)); }
  Json field_schema(const IncludeField&) { return files(); }

  Json sections_ = Json::object();
};

}  // namespace

std::string schema() { return Schema().document().dump(2) + "\n"; }

}  // namespace lockgate::config
