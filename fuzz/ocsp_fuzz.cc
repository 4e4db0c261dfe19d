// Any bytes, taken as an OCSP responder's answer and as its URL: what is refused is refused in words, and
// what is taken holds. The seeds were made for the certificate below, of which "good", "delegated" and
// "without_end" say that it is good.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "tls/ocsp.h"
#include "tls/pem.h"

namespace lockgate::tls {
namespace {

constexpr WallTime kNow = 1'795'275'000'000'000'000;  // half an hour after the answers were made
constexpr std::string_view kIssuer = R"(-----BEGIN CERTIFICATE-----
MIIBdjCCAR2gAwIBAgIUFMQzC6oWNXQ3usNcZMMLpvaohFowCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGSXNzdWVyMB4XDTI2MTEyMTE1MDA1M1oXDTM2MTExODE1MDA1
M1owETEPMA0GA1UEAwwGSXNzdWVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
ui6kYGv9qclv6/xI4gaIIIansjWCmMGf9D2xSRVTvVsHUpsRs7OQfNOCkMVg7CHZ
6wfKezoCX9+4oYLahAeKXaNTMFEwHQYDVR0OBBYEFEh4pvRESQsBRgA9icPgw9r1
gI/FMB8GA1UdIwQYMBaAFEh4pvRESQsBRgA9icPgw9r1gI/FMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgU9fVi3TRZkCZ6wJmPd0D1doGGNqX0MtY
nXzxgFEfnwUCIB46UmckRg532fc21d5CR/yx3TxPTQ1KP2Q1VglQz4vG
-----END CERTIFICATE-----
)";
constexpr std::string_view kCertificate = R"(-----BEGIN CERTIFICATE-----
MIIBaDCCAQ2gAwIBAgIBCjAKBggqhkjOPQQDAjARMQ8wDQYDVQQDDAZJc3N1ZXIw
HhcNMjYxMTIxMTUwMDUzWhcNMzYxMTE4MTUwMDUzWjAUMRIwEAYDVQQDDAlhLmV4
YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQnXMyD1lHyaetAAtVuhPJi
zW0u78IrbxNvK2ZpXCYJtLViePPxhIeTrf4swWXsqDxhSeFDu9ECcASEUnj4cgSw
o1MwUTAdBgNVHQ4EFgQU7rAR89Yxv1sTAtGRc7bDnbUAr10wHwYDVR0jBBgwFoAU
SHim9ERJCwFGAD2Jw+DD2vWAj8UwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
AgNJADBGAiEAiDW1BLj88OfCIGeagf3toqA+gWeenJFm80ByuOKyzlACIQCSs3pR
Jq3Bf2QhemM8AUT6NTEoRGVs8jVoR7ppCGfSTA==
-----END CERTIFICATE-----
)";

x509_st* issuer() {
  static auto read = pem_certificates("the issuer", kIssuer);
  return read->front().get();
}

x509_st* certificate() {
  static auto read = pem_certificates("the certificate", kCertificate);
  return read->front().get();
}

void check_answer(Bytes bytes) {
  auto until = check_ocsp_response(bytes, certificate(), issuer(), kNow);
  if (until)
    CHECK(*until > kNow);
  else
    CHECK(!until.error().why.empty());
}

void check_url(std::string_view text) {
  auto responder = parse_responder(text);
  if (!responder) return;
  CHECK(!responder->host.empty() && responder->port != 0 && responder->target.starts_with('/'));
  for (char c : responder->authority() + responder->target) CHECK(c > ' ' && c < '\x7f');
  CHECK(parse_responder(responder->url()) == responder);
}

}  // namespace
}  // namespace lockgate::tls

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockgate;
  auto bytes = std::as_bytes(std::span(data, size));
  tls::check_answer(bytes);
  tls::check_url(as_text(bytes));
  return 0;
}
