#include "server/demo_origin.h"

#include "server/test_caller.h"

namespace lockgate::server {
namespace {

class DemoOriginTest : public testing::Test {
 protected:
  DemoOriginTest() {
    Fd fd = listen_on_loopback();
    address = net::local_address(fd.number());
    server.open(std::move(fd));
  }
  Response ask(std::string_view path, std::string_view fields = "") {
    Caller caller(reactor, address);
    caller.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: demo.example\r\nConnection: close\r\n" +
                std::string(fields) + "\r\n");
    return responses_in(caller.receive_all()).at(0);
  }

  ManualClock clock;
  loop::Reactor reactor{clock};
  DemoOrigin pages;
  HttpServer server{reactor, pages};
  SocketAddress address;
};

TEST_F(DemoOriginTest, TellsWhatReachedIt) {
  Response page = ask("/?question", "Accept: */*\r\n");
  EXPECT_EQ(page.status, 200);
  EXPECT_TRUE(page.fields.at("Content-Type").starts_with("text/plain"));
  EXPECT_TRUE(page.body.starts_with("Hello from Lockgate's demo origin.\n"));
  EXPECT_TRUE(page.body.contains("\nGET /?question HTTP/1.1\nHost: demo.example\n"));
  EXPECT_TRUE(page.body.contains("\nConnected from 127.0.0.1:"));
}

TEST_F(DemoOriginTest, GivesABrowserHtmlThatCarriesNothingOfItsOwn) {
  Response page = ask("/?<script>&amp", "Accept: text/html,*/*;q=0.8\r\nX: </pre><b>\r\n");
  EXPECT_TRUE(page.fields.at("Content-Type").starts_with("text/html"));
  EXPECT_TRUE(page.body.contains("GET /?&lt;script&gt;&amp;amp HTTP/1.1\n"));
  EXPECT_TRUE(page.body.contains("X: &lt;/pre&gt;&lt;b&gt;\n"));
  EXPECT_FALSE(page.body.contains("<script") || page.body.contains("<b>"));
}

TEST_F(DemoOriginTest, GivesSoManyBytes) {
  EXPECT_EQ(ask("/bytes/0").body, "");
  EXPECT_EQ(ask("/bytes/70000").body.size(), 70'000u);
  EXPECT_EQ(ask("/bytes/1048576").body.size(), 1'048'576u);
  for (auto path :
       {"/bytes/1048577", "/bytes/-1", "/bytes/", "/bytes/1x", "/bytes/99999999999999999999999"}) {
    EXPECT_EQ(ask(path).status, 404) << path;
  }
}

TEST_F(DemoOriginTest, HasNoOtherPages) { EXPECT_EQ(ask("/favicon.ico").status, 404); }

}  // namespace
}  // namespace lockgate::server
