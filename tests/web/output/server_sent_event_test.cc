#include <squall/web/output/server_sent_event.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::web::server_sent_event_test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

std::string text_of(const ServerSentEvent& event) {
  std::string text;
  append_event(text, event);
  return text;
}

TEST_CASE("an event has its fields, each on a line, and ends in an empty line (HTML, 9.2.6)",
          "[server_sent_event]") {
  CHECK(text_of({.data = "hello"}) == "data: hello\n\n");
  CHECK(text_of({.data = "x", .event = "add", .id = "7", .retry = 1500ms}) ==
        "event: add\nid: 7\nretry: 1500\ndata: x\n\n");
  CHECK(text_of({}) == "data: \n\n");
  CHECK(text_of({.data = ": no comment"}) == "data: : no comment\n\n");
}

TEST_CASE("each line of the data is a line of the event, whatever its end (HTML, 9.2.6)",
          "[server_sent_event]") {
  CHECK(text_of({.data = "a\nb\r\nc\rd"}) == "data: a\ndata: b\ndata: c\ndata: d\n\n");
  CHECK(text_of({.data = "a\n\nb"}) == "data: a\ndata: \ndata: b\n\n");
  CHECK(text_of({.data = "a\n"}) == "data: a\ndata: \n\n");
  CHECK(text_of({.data = "\r\r\n"}) == "data: \ndata: \ndata: \n\n");
  CHECK(text_of({.data = "x\n\nevent: other\ndata: y"}) ==
        "data: x\ndata: \ndata: event: other\ndata: data: y\n\n");
}

TEST_CASE("line breaks and NUL in the name and the id are refused, and nothing is appended",
          "[server_sent_event]") {
  for (const std::string_view bad : {"a\nb"sv, "a\rdata: x"sv, "a\0b"sv, "\n"sv}) {
    std::string text = "kept";
    CHECK_THROWS_AS(append_event(text, {.data = "x", .event = bad}), std::invalid_argument);
    CHECK_THROWS_AS(append_event(text, {.data = "x", .id = bad}), std::invalid_argument);
    CHECK(text == "kept");
  }
  CHECK(text_of({.data = "a\0b"sv}) == "data: a\0b\n\n"sv);
}

TEST_CASE("a comment cannot become an event", "[server_sent_event]") {
  std::string text;
  append_comment(text, "one\n\ndata: x");
  CHECK(text == ": one\n: \n: data: x\n\n");
}

}  // namespace
}  // namespace squall::web::server_sent_event_test
