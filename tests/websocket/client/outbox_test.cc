// The messages of a client that wait for a connection.

#include <squall/websocket/client/outbox.h>

#include <string>
#include <utility>

#include "support/test_loop.h"

namespace squall::websocket::outbox_test {
namespace {

Outbox::Limits limits(std::size_t messages, std::size_t bytes) {
  Outbox::Limits result;
  result.max_messages = messages;
  result.max_bytes = bytes;
  return result;
}

bool add(Outbox& outbox, std::string data) { return outbox.add(MessageType::text, std::move(data)); }

TEST_CASE("an outbox keeps messages in their order, with their types", "[outbox]") {
  Outbox outbox{Outbox::Limits()};
  CHECK(outbox.empty());
  CHECK(outbox.add(MessageType::text, "one"));
  CHECK(outbox.add(MessageType::binary, "two"));
  CHECK(outbox.size() == 2);
  CHECK(outbox.front().data == "one");
  CHECK(outbox.front().type == MessageType::text);
  outbox.drop_front();
  CHECK(outbox.front().data == "two");
  CHECK(outbox.front().type == MessageType::binary);
  outbox.drop_front();
  CHECK(outbox.empty());
}

TEST_CASE("an outbox takes no more messages than its limit", "[outbox]") {
  Outbox outbox(limits(2, 1000));
  CHECK(add(outbox, "a"));
  CHECK(add(outbox, "b"));
  CHECK_FALSE(add(outbox, "c"));
  outbox.drop_front();
  CHECK(add(outbox, "c"));
}

TEST_CASE("an outbox takes no more bytes than its limit, counting 64 for each message", "[outbox]") {
  Outbox outbox(limits(1000, 200));
  CHECK_FALSE(add(outbox, std::string(137, 'x')));
  CHECK(add(outbox, std::string(136, 'x')));
  CHECK_FALSE(add(outbox, ""));
  outbox.drop_front();
  CHECK(add(outbox, ""));
  CHECK(add(outbox, ""));
  CHECK(add(outbox, "12345678"));
  CHECK_FALSE(add(outbox, ""));
  outbox.clear();
  CHECK(outbox.empty());
  CHECK(add(outbox, std::string(136, 'x')));
}

TEST_CASE("a message that an outbox refuses is unchanged", "[outbox]") {
  Outbox outbox(limits(0, 1000));
  std::string data = "a message of the caller that is longer than a small string";
  CHECK_FALSE(outbox.add(MessageType::text, std::move(data)));
  CHECK(data.size() == 58);
}

}  // namespace
}  // namespace squall::websocket::outbox_test
