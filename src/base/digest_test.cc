#include "base/digest.h"

#include <gtest/gtest.h>

namespace lockgate {
namespace {

// RFC 1321, A.5, and FIPS 180-4's examples.
TEST(Digest, AgreesWithThePublishedExamples) {
  EXPECT_EQ(hex(md5({})), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex(md5(as_bytes("message digest"))), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, WritesLowerCaseHexadecimal) {
  EXPECT_EQ(hex(as_bytes(std::string_view("\x00\x0f\xa5\xff", 4))), "000fa5ff");
  EXPECT_EQ(hex({}), "");
}

// RFC 4648, 10.
TEST(Base64, AgreesWithThePublishedExamples) {
  EXPECT_EQ(base64({}), "");
  EXPECT_EQ(base64(as_bytes("f")), "Zg==");
  EXPECT_EQ(base64(as_bytes("fo")), "Zm8=");
  EXPECT_EQ(base64(as_bytes("foo")), "Zm9v");
  EXPECT_EQ(base64(as_bytes("\xff\xfe\xfd")), "//79");
  EXPECT_EQ(base64(as_bytes(std::string(300, 'x'))).size(), 400u);
}

TEST(RandomBytes, AreNotTheSameTwice) {
  std::array<std::byte, 16> one{}, other{};
  random_bytes(one);
  random_bytes(other);
  EXPECT_NE(one, other);
  EXPECT_NE(random_hash_secret(), random_hash_secret());
}

}  // namespace
}  // namespace lockgate
