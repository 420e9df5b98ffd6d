#include <squall/iostream/stream/read_buffer.h>

#include <cstring>
#include <random>
#include <string>

#include "support/catch.h"

namespace squall::read_buffer_test {
namespace {

// Receives `bytes` in one piece, of which prepare() must have room for all.
void receive(ReadBuffer& buffer, std::string_view bytes, std::size_t wanted = 0) {
  const std::span<char> space = buffer.prepare(wanted);
  REQUIRE(space.size() >= bytes.size());
  std::memcpy(space.data(), bytes.data(), bytes.size());
  buffer.commit(bytes.size());
}

TEST_CASE("bytes come out as they went in, small and large", "[read_buffer]") {
  for (const std::size_t size : {1, 100, 4096, 4097, 60'000}) {
    ReadBuffer buffer;
    const std::string bytes(size, 'x');
    receive(buffer, bytes);
    CHECK(buffer.view() == bytes);
    CHECK(buffer.consume(size) == bytes);
    CHECK(buffer.empty());
  }
}

TEST_CASE("consumed bytes stay readable until the next receive, and can be given back", "[read_buffer]") {
  ReadBuffer buffer;
  receive(buffer, "hello world");
  const std::string_view hello = buffer.consume(6);
  const std::string_view world = buffer.consume(5);
  CHECK(hello == "hello ");
  CHECK(world == "world");
  buffer.unread(5);
  CHECK(buffer.view() == "world");
  CHECK(hello == "hello ");
}

TEST_CASE("two buffers that receive in turn do not share bytes", "[read_buffer]") {
  for (const std::size_t size : {10, 50'000}) {
    ReadBuffer a;
    ReadBuffer b;
    receive(a, std::string(size, 'a'));
    receive(b, std::string(size, 'b'));
    CHECK(a.view() == std::string(size, 'a'));
    CHECK(b.view() == std::string(size, 'b'));
  }
}

// The same for a reader that borrows the shared buffer.
void receive_shared(ReadBuffer& buffer, std::string_view bytes) {
  const std::span<char> space = buffer.prepare(0);
  REQUIRE(space.size() >= bytes.size());
  std::memcpy(space.data(), bytes.data(), bytes.size());
  buffer.commit_shared(bytes.size());
}

TEST_CASE("other buffers do not receive into a borrowed buffer, which is given back", "[read_buffer]") {
  for (const std::size_t size : {10, 5'000, 20'000, 60'000}) {
    for (const std::size_t consumed : {std::size_t(0), size / 3, size}) {
      CAPTURE(size, consumed);
      std::string bytes(size, 'a');
      for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i % 26);
      const std::string_view rest = std::string_view(bytes).substr(consumed);
      ReadBuffer a;
      ReadBuffer b;
      ReadBuffer c;
      receive_shared(a, bytes);
      CHECK(a.consume(consumed) == std::string_view(bytes).substr(0, consumed));
      receive_shared(b, std::string(size, 'B'));
      receive(c, std::string(size, 'C'));
      CHECK(a.view() == rest);
      CHECK(b.view() == std::string(size, 'B'));
      a.keep();
      b.keep();
      receive(c, std::string(size, 'D'));
      CHECK(a.view() == rest);
      CHECK(b.view() == std::string(size, 'B'));
      CHECK(c.view() == std::string(size, 'C') + std::string(size, 'D'));
    }
  }
}

TEST_CASE("settle gives memory back and keeps the bytes", "[read_buffer]") {
  ReadBuffer buffer;
  receive(buffer, std::string(50'000, 'x') + "rest");
  buffer.consume(50'000);
  buffer.settle();
  CHECK(buffer.view() == "rest");
  buffer.consume(4);
  buffer.settle();
  CHECK(buffer.empty());
  receive(buffer, "again");
  CHECK(buffer.view() == "again");
}

TEST_CASE("random receives, reads and settles agree with a string", "[read_buffer]") {
  std::mt19937 random(42);
  ReadBuffer buffer;
  std::string model;
  std::string pattern;
  for (int i = 0; i < 200'256; ++i) pattern += static_cast<char>(i);
  std::size_t next = 0;
  for (int step = 0; step < 20'000; ++step) {
    switch (random() % 4) {
      case 0:
      case 1: {
        const std::size_t wanted = random() % 3 ? 0 : random() % 500'000;
        const std::span<char> space = buffer.prepare(wanted);
        REQUIRE(!space.empty());
        const std::size_t count =
            random() % std::min<std::size_t>(space.size(), random() % 2 ? 100 : 200'000) + 1;
        const std::string_view bytes = std::string_view(pattern).substr(next % 256, count);
        next += count;
        std::memcpy(space.data(), bytes.data(), count);
        if (random() % 2) {
          buffer.commit(count);
        } else {
          buffer.commit_shared(count);
        }
        model += bytes;
        break;
      }
      case 2: {
        const std::size_t count = random() % 3 ? random() % (model.size() + 1) : model.size();
        REQUIRE(buffer.consume(count) == std::string_view(model).substr(0, count));
        model.erase(0, count);
        break;
      }
      case 3:
        if (random() % 2) {
          buffer.settle();
        } else {
          buffer.keep();
        }
        break;
    }
    REQUIRE(buffer.view() == model);
    if (model.size() > 1'000'000) {
      buffer.consume(model.size());
      model.clear();
    }
  }
}

}  // namespace
}  // namespace squall::read_buffer_test
