// The manual of the configuration, made from the tables of options, so that it is
// never out of date: as Markdown for people, as JSON schema for editors.
#pragma once
#include <string>

namespace lockgate::config {

/// Markdown: a section each, with keys, values, defaults and sentences.
std::string reference();
/// JSON schema (draft 2020-12) of a configuration file.
std::string schema();

}  // namespace lockgate::config
