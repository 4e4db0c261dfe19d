#include "tls/ocsp.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/address.h"
#include "base/check.h"
#include "base/name_pattern.h"
#include "tls/context.h"

namespace lockgate::tls {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
// Their clock and ours need not be the same to the minute. At the other end there is no slack: clients have
// no use for an answer that has expired.
constexpr std::int64_t kSlack = 5 * 60;
// Without an end it would be good for ever, and whoever has kept one could bring it up again.
constexpr std::int64_t kWithoutEnd = 3600;
constexpr std::size_t kLongestUrl = 2048;
constexpr std::uint16_t kHttpPort = 80;
// In the list of TLS features: the extension `status_request` (RFC 6066, 1.1).
constexpr std::int64_t kStatusRequest = 5;

using OwnedResponse = Owned<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using OwnedBasic = Owned<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using OwnedId = Owned<OCSP_CERTID, OCSP_CERTID_free>;
using OwnedFeatures = Owned<TLS_FEATURE, TLS_FEATURE_free>;

void free_urls(STACK_OF(OPENSSL_STRING) * urls) { X509_email_free(urls); }
using OwnedUrls = Owned<STACK_OF(OPENSSL_STRING), free_urls>;
// Of certificates that others own.
void free_list(STACK_OF(X509) * list) { sk_X509_free(list); }
using OwnedList = Owned<STACK_OF(X509), free_list>;

std::unexpected<OcspRefusal> refused(std::string why, bool revoked = false) {
  ERR_clear_error();
  return std::unexpected(OcspRefusal{std::move(why), revoked});
}

bool is_graphic(char c) { return c > ' ' && c < '\x7f'; }

// What stands between "//" and the path (RFC 3986, 3.2).
bool parse_authority(std::string_view text, Responder& responder) {
  std::string_view host = text;
  std::size_t end = text.starts_with('[') ? text.find(']') + 1 : text.find(':');
  if (text.starts_with('[') && end == 0) return false;
  if (end < text.size()) {
    host = text.substr(0, end);
    std::string_view port = text.substr(end);
    if (!port.starts_with(':')) return false;
    port.remove_prefix(1);
    auto [stopped, error] = std::from_chars(port.data(), port.data() + port.size(), responder.port);
    if (!port.empty() && (error != std::errc() || stopped != port.data() + port.size())) return false;
  }
  if (auto ip = Ip::parse(host)) {
    responder.host = ip->text();
    return ip->scope() == 0 && responder.port != 0;
  }
  auto name = normalized_name(host);
  if (name) responder.host = *name;
  return name && !is_ip_literal(*name) && responder.port != 0;
}

// The answer proper, once it is sure who signed it.
std::expected<OwnedBasic, OcspRefusal> signed_by(x509_st* issuer, OCSP_RESPONSE* response, WallTime now) {
  OwnedBasic basic(OCSP_response_get1_basic(response));
  if (!basic) return refused("the answer is of a kind that nobody knows");
  // Trusted is the issuer and nobody else, wherever it stands in its chain; so whoever it has appointed for
  // this must have been signed by itself (RFC 6960, 4.2.2.2).
  OwnedStore trust(X509_STORE_new());
  CHECK(trust && X509_STORE_add_cert(trust.get(), issuer) == 1);
  X509_VERIFY_PARAM* terms = X509_STORE_get0_param(trust.get());
  X509_VERIFY_PARAM_set_time(terms, now / kSecond);
  X509_VERIFY_PARAM_set_flags(terms, X509_V_FLAG_PARTIAL_CHAIN);
  OwnedList known(sk_X509_new_null());
  CHECK(known && sk_X509_push(known.get(), issuer) == 1);
  if (OCSP_basic_verify(basic.get(), known.get(), trust.get(), OCSP_NOEXPLICIT) == 1) return basic;
  return refused(fmt::format("neither the issuer signed the answer nor whom it appoints: {}", why()));
}

// What is said of `certificate`; null if nothing is.
OCSP_SINGLERESP* find(OCSP_BASICRESP* basic, x509_st* certificate, x509_st* issuer) {
  for (const EVP_MD* digest : {EVP_sha1(), EVP_sha256()}) {
    OwnedId id(OCSP_cert_to_id(digest, certificate, issuer));
    int at = id ? OCSP_resp_find(basic, id.get(), -1) : -1;
    if (at >= 0) return OCSP_resp_get0(basic, at);
  }
  return nullptr;
}

std::string revoked_words(const ASN1_GENERALIZEDTIME* when, int reason) {
  auto since = when ? seconds_of(when) : std::nullopt;
  std::string words = "the issuer has revoked the certificate";
  if (since) words += fmt::format(" as of {}", date(*since));
  if (reason >= 0) words += fmt::format(" ({})", OCSP_crl_reason_str(reason));
  return words + ": have it made anew";
}

std::expected<WallTime, OcspRefusal> end_of(OCSP_SINGLERESP* single, WallTime now) {
  int reason = -1;
  ASN1_GENERALIZEDTIME *revoked = nullptr, *from = nullptr, *until = nullptr;
  int status = OCSP_single_get0_status(single, &reason, &revoked, &from, &until);
  auto first = from ? seconds_of(from) : std::nullopt;
  auto last = until ? seconds_of(until) : first;
  if (!first || !last || *last < *first) return refused("the answer has dates that are none");
  if (!until) *last += kWithoutEnd;
  std::int64_t seconds = now / kSecond;
  if (*first > seconds + kSlack) {
    return refused(fmt::format("the answer is not valid before {}: see whether the clock is right",
                               date_and_time(*first)));
  }
  if (*last <= seconds) return refused(fmt::format("the answer expired on {}", date_and_time(*last)));
  if (status == V_OCSP_CERTSTATUS_REVOKED) return refused(revoked_words(revoked, reason), true);
  if (status != V_OCSP_CERTSTATUS_GOOD) return refused("the issuer does not know the certificate");
  constexpr std::int64_t kMost = std::numeric_limits<WallTime>::max() / kSecond;
  return std::min(*last, kMost) * kSecond;
}

}  // namespace

std::string Responder::authority() const {
  std::string text = host.contains(':') ? "[" + host + "]" : host;
  return port == kHttpPort ? text : fmt::format("{}:{}", text, port);
}

std::optional<Responder> parse_responder(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (url.size() > kLongestUrl || !std::ranges::all_of(url, is_graphic)) return {};
  auto scheme = std::string(url.substr(0, kScheme.size()));
  for (char& c : scheme) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (scheme != kScheme) return {};
  url.remove_prefix(kScheme.size());
  url = url.substr(0, url.find('#'));
  auto end = std::min(url.find_first_of("/?"), url.size());
  Responder responder;
  if (!parse_authority(url.substr(0, end), responder)) return {};
  responder.target = url.substr(end);
  if (!responder.target.starts_with('/')) responder.target.insert(0, 1, '/');
  return responder;
}

std::optional<Responder> responder_of(x509_st* certificate) {
  OwnedUrls urls(X509_get1_ocsp(certificate));
  ERR_clear_error();
  for (int i = 0; i < sk_OPENSSL_STRING_num(urls.get()); ++i) {
    if (auto responder = parse_responder(sk_OPENSSL_STRING_value(urls.get(), i))) return responder;
  }
  return {};
}

bool must_be_stapled(x509_st* certificate) {
  OwnedFeatures features(
      static_cast<TLS_FEATURE*>(X509_get_ext_d2i(certificate, NID_tlsfeature, nullptr, nullptr)));
  ERR_clear_error();
  for (int i = 0; i < sk_ASN1_INTEGER_num(features.get()); ++i) {
    std::int64_t feature = 0;
    if (ASN1_INTEGER_get_int64(&feature, sk_ASN1_INTEGER_value(features.get(), i)) == 1 &&
        feature == kStatusRequest)
      return true;
  }
  return false;
}

x509_st* issuer_in_chain(const Identity& identity) {
  return identity.chain.empty() ? nullptr : identity.chain.front().get();
}

std::vector<std::byte> ocsp_request(x509_st* certificate, x509_st* issuer) {
  Owned<OCSP_REQUEST, OCSP_REQUEST_free> request(OCSP_REQUEST_new());
  OwnedId id(OCSP_cert_to_id(EVP_sha1(), certificate, issuer));
  CHECK(request && id && OCSP_request_add0_id(request.get(), id.get()));
  (void)id.release();  // the request has it now
  unsigned char* der = nullptr;
  int size = i2d_OCSP_REQUEST(request.get(), &der);
  CHECK(size > 0);
  auto bytes = std::as_bytes(std::span(der, static_cast<std::size_t>(size)));
  std::vector<std::byte> copy(bytes.begin(), bytes.end());
  OPENSSL_free(der);
  return copy;
}

std::expected<WallTime, OcspRefusal> check_ocsp_response(Bytes response, x509_st* certificate,
                                                         x509_st* issuer, WallTime now) {
  if (response.size() > kLargestStaple)
    return refused(fmt::format("the answer has {} bytes, more than clients take", response.size()));
  const auto* at = reinterpret_cast<const unsigned char*>(response.data());
  const auto* end = at + response.size();
  OwnedResponse read(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(response.size())));
  if (!read || at != end) return refused("the answer is no OCSP response");
  int status = OCSP_response_status(read.get());
  if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
    return refused(fmt::format("the responder says no more than \"{}\"", OCSP_response_status_str(status)));
  auto basic = signed_by(issuer, read.get(), now);
  if (!basic) return std::unexpected(basic.error());
  OCSP_SINGLERESP* single = find(basic->get(), certificate, issuer);
  if (!single) return refused("the answer is about another certificate");
  auto until = end_of(single, now);
  ERR_clear_error();
  return until;
}

}  // namespace lockgate::tls
