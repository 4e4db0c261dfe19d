#include "proxy/media_type.h"

#include <gtest/gtest.h>

namespace lockgate::proxy {
namespace {

TEST(MediaType, IsThatOfTheLastEndingInAnyCase) {
  EXPECT_EQ(media_type("index.html"), "text/html; charset=utf-8");
  EXPECT_EQ(media_type("a/b/INDEX.HTM"), "text/html; charset=utf-8");
  EXPECT_EQ(media_type("app.min.js"), "text/javascript; charset=utf-8");
  EXPECT_EQ(media_type("archive.tar.gz"), "application/gzip");
  EXPECT_EQ(media_type("x.7z"), "application/x-7z-compressed");
  EXPECT_EQ(media_type("x.zst"), "application/zstd");
  EXPECT_EQ(media_type("x.webmanifest"), "application/manifest+json");
  EXPECT_EQ(media_type("x.png"), "image/png");
}

TEST(MediaType, OfWhatIsNotKnownIsBytes) {
  for (const char* name :
       {"", "html", "a.", "a.unknown", "a.html/b", "a.html5", "a.endingthatislong", "a.ht"})
    EXPECT_EQ(media_type(name), "application/octet-stream") << name;
}

}  // namespace
}  // namespace lockgate::proxy
