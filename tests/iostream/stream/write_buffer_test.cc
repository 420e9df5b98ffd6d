#include <squall/iostream/stream/write_buffer.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <random>
#include <string>

#include "support/catch.h"
#include "support/temporary_file.h"

namespace squall::write_buffer_test {
namespace {

using testing::temporary_file;

std::string front(const WriteBuffer& buffer) {
  std::array<std::string_view, 16> pieces;
  std::string all;
  for (std::size_t i = 0, count = buffer.gather(pieces); i < count; ++i) all += pieces[i];
  return all;
}

TEST_CASE("bytes written in any form are sent in order, each once", "[write_buffer]") {
  WriteBuffer buffer;
  buffer.append("copied ");
  buffer.append(std::string("moved "), 0);
  buffer.append("copied behind ");
  buffer.append("and more ");
  const auto shared = std::make_shared<const std::string>("not this shared ");
  buffer.append(shared, 9);
  buffer.append("end");
  const std::string all = "copied moved copied behind and more shared end";
  CHECK(front(buffer) == all);
  CHECK(buffer.size() == all.size());
  for (std::size_t sent = 0; sent < all.size(); ++sent) {
    CHECK(front(buffer) == all.substr(sent));
    buffer.consume(1);
  }
  CHECK(buffer.empty());
  CHECK(shared.use_count() == 1);
}

TEST_CASE("short headers between shared bytes take little memory, what is copied at length grows",
          "[write_buffer]") {
  WriteBuffer buffer;
  const auto shared = std::make_shared<const std::string>(5000, 's');
  for (int i = 0; i < 100; ++i) {
    buffer.append("hd");
    buffer.append(shared, 0);
  }
  CHECK(buffer.capacity() <= 4096 + 99 * Block::kSmallest);
  const std::size_t before = buffer.capacity();
  for (int i = 0; i < 10'000; ++i) buffer.append("0123456789");
  CHECK(buffer.capacity() - before < 110'000);
  CHECK(buffer.size() == 100 * 5002 + 100'000);
}

TEST_CASE("a piece is freed as soon as it is sent", "[write_buffer]") {
  WriteBuffer buffer;
  const auto shared = std::make_shared<const std::string>("shared");
  buffer.append(shared, 0);
  buffer.append(std::string("x"), 0);
  CHECK(shared.use_count() == 2);
  buffer.consume(6);
  CHECK(shared.use_count() == 1);
  CHECK(front(buffer) == "x");
}

TEST_CASE("no more pieces are gathered than there is room for", "[write_buffer]") {
  WriteBuffer buffer;
  for (int i = 0; i < 5; ++i) buffer.append(std::string("ab"), 0);
  std::array<std::string_view, 2> pieces;
  CHECK(buffer.gather(pieces) == 2);
  CHECK(buffer.gather({}) == 0);
}

TEST_CASE("a file is sent from where it is, between the others, and takes no memory", "[write_buffer]") {
  WriteBuffer buffer;
  CHECK(buffer.file() == nullptr);
  buffer.append("head");
  buffer.append({temporary_file("0123456789"), 2, 5});
  buffer.append("tail");
  CHECK(buffer.size() == 13);
  CHECK(buffer.size_in_memory() == 8);
  CHECK(front(buffer) == "head");
  CHECK(buffer.file() == nullptr);
  buffer.consume(4);
  REQUIRE(buffer.file() != nullptr);
  CHECK(buffer.file()->offset == 2);
  buffer.consume(2);
  CHECK(buffer.file()->offset == 4);
  CHECK(buffer.file()->length == 3);
  CHECK(front(buffer).empty());
  buffer.consume(3);
  CHECK(buffer.file() == nullptr);
  CHECK(front(buffer) == "tail");
}

TEST_CASE("a file that cannot be sent from where it is comes into memory bit by bit", "[write_buffer]") {
  WriteBuffer buffer;
  buffer.append({temporary_file("0123456789"), 1, 8});
  buffer.append("tail");
  CHECK(buffer.load_file(3) == 3);
  CHECK(front(buffer) == "123");
  CHECK(buffer.size() == 12);
  CHECK(buffer.size_in_memory() == 7);
  buffer.consume(3);
  REQUIRE(buffer.file() != nullptr);
  CHECK(buffer.load_file(100) == 5);
  CHECK(front(buffer) == "45678tail");
  CHECK(buffer.size_in_memory() == buffer.size());
}

TEST_CASE("reserved room that is not used does not affect later writes", "[write_buffer]") {
  WriteBuffer buffer;
  buffer.append(std::string("moved"), 0);
  buffer.reserve(100);
  buffer.append({temporary_file("x"), 0, 1});
  buffer.consume(5);
  REQUIRE(buffer.file() != nullptr);
  buffer.reserve(100);
  buffer.consume(1);
  CHECK(buffer.empty());
}

TEST_CASE("any mixture of writes and sends gives the same bytes", "[write_buffer]") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    WriteBuffer buffer;
    std::string expected;
    std::string sent;
    while (expected.size() < 50'000) {
      std::string data(1 + random() % (random() % 8 ? 50 : 6'000), static_cast<char>('a' + random() % 26));
      expected += data;
      switch (random() % 4) {
        case 0: buffer.append(std::move(data), 0); break;
        case 1: buffer.append(std::make_shared<const std::string>(std::move(data)), 0); break;
        default: buffer.append(std::string_view(data)); break;
      }
      if (random() % 3) continue;
      const std::string ready = front(buffer);
      const std::size_t count = random() % (ready.size() + 1);
      sent += ready.substr(0, count);
      buffer.consume(count);
    }
    while (!buffer.empty()) {
      const std::string ready = front(buffer);
      REQUIRE_FALSE(ready.empty());
      sent += ready;
      buffer.consume(ready.size());
    }
    REQUIRE((sent == expected));
  }
}

}  // namespace
}  // namespace squall::write_buffer_test
