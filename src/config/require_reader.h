// Reads what is said of who may enter: lists of users, signing in, and requirements, and
// tells those that can never be met or that are hardly meant.
#pragma once
#include <vector>

#include "config/rate_reader.h"

namespace lockgate::config {

class RequireReader : public RateReader {
 public:
  using RateReader::RateReader;
  using RateReader::read_value;

  void read_value(const Node& node, Subject subject, const Form& form, SignIn& out);
  void read_value(const Node& node, Subject subject, const Form& form, Requirement& out);
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<Requirement>& out);
  void read_value(const Node& node, Subject subject, const Form& form, TlsCondition& out);
  void read_value(const Node& node, Subject subject, const Form& form, CertificateCondition& out);
  void read_value(const Node& node, Subject subject, const Form& form, TimeCondition& out);
  void read_value(const Node& node, Subject subject, const Form& form, std::vector<Condition>& out);

 protected:
  /// Whoever asks for a field that is never there has a condition that never holds, and a `none` that always
  /// does.
  void check_asked(const std::string& field, const Mark& mark);

 private:
  void read_short(const Node& node, Subject subject, Requirement& out);
  template <class Switched>
  void read_switched(const Node& node, Subject subject, Switched& out);
  void check_sign_in(const Node& node, const SignIn& sign_in);
  void check_given(const Node& node, Subject subject);
  void check_grants(const Node& node, Subject subject);
};

}  // namespace lockgate::config
