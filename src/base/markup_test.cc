#include "base/markup.h"

#include <gtest/gtest.h>

namespace lockgate {
namespace {

TEST(Markup, HasNothingOfTheTextThatEndsAnElementOrAValue) {
  EXPECT_EQ(markup_of(R"(</p><a title="b" name='c'>&lt;)"),
            "&lt;/p&gt;&lt;a title=&quot;b&quot; name=&#39;c&#39;&gt;&amp;lt;");
}

TEST(Markup, IsTheTextWhereThatIsPlain) {
  EXPECT_EQ(markup_of(""), "");
  EXPECT_EQ(markup_of("J\xc3\xbcrgen, 42%\n"), "J\xc3\xbcrgen, 42%\n");
}

}  // namespace
}  // namespace lockgate
