#include <squall/websocket/codec/frame.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "support/catch.h"
#include "support/hex.h"

namespace squall::websocket::frame_test {
namespace {

using testing::from_hex;
using testing::to_hex;

constexpr MaskKey kKey{'\x37', '\xfa', '\x21', '\x3d'};

std::string frame(const FrameHead& head, std::string_view payload) {
  std::string bytes;
  append_frame(bytes, head, payload);
  return bytes;
}

std::string head_of_size(std::uint64_t size, std::optional<MaskKey> key = std::nullopt) {
  FrameHead head{.opcode = Opcode::binary, .size = size, .key = key};
  return to_hex(EncodedHead(head).bytes());
}

TEST_CASE("frames are written as the wire vectors have them (WSK-V1 to WSK-V6, WSK-35, WSK-36)", "[frame]") {
  CHECK(frame({.opcode = Opcode::text}, "Hello") == from_hex("81 05 48 65 6c 6c 6f"));
  CHECK(frame({.opcode = Opcode::text, .key = kKey}, "Hello") ==
        from_hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"));
  const std::string zeros(65536, '\0');
  CHECK(frame({.opcode = Opcode::binary}, zeros.substr(0, 126)) ==
        from_hex("82 7e 00 7e") + zeros.substr(0, 126));
  CHECK(frame({.opcode = Opcode::binary}, zeros) == from_hex("82 7f 00 00 00 00 00 01 00 00") + zeros);
  CHECK(frame({.opcode = Opcode::ping}, "ping") == from_hex("89 04 70 69 6e 67"));
  CHECK(frame({.opcode = Opcode::close}, from_hex("03e8 627965")) == from_hex("88 05 03 e8 62 79 65"));
}

TEST_CASE("a size has its shortest form (RFC 6455, 5.2)", "[frame]") {
  CHECK(head_of_size(0) == "8200");
  CHECK(head_of_size(125) == "827d");
  CHECK(head_of_size(126) == "827e007e");
  CHECK(head_of_size(65535) == "827effff");
  CHECK(head_of_size(65536) == "827f0000000000010000");
  CHECK(head_of_size((std::uint64_t{1} << 63) - 1, kKey) == "82ff7fffffffffffffff37fa213d");
}

TEST_CASE("fragments and compressed messages have their bits", "[frame]") {
  CHECK(frame({.opcode = Opcode::text, .fin = false, .compressed = true}, "") == from_hex("41 00"));
  CHECK(frame({.opcode = Opcode::continuation, .fin = false}, "a") == from_hex("00 01 61"));
  CHECK(frame({.opcode = Opcode::pong, .key = kKey}, "") == from_hex("8a 80 37 fa 21 3d"));
}

TEST_CASE("a frame is appended behind others, which stay as they are", "[frame]") {
  std::string bytes = frame({.opcode = Opcode::text}, "a");
  append_frame(bytes, {.opcode = Opcode::text, .key = kKey}, "Hello");
  CHECK(bytes == from_hex("81 01 61 81 85 37 fa 21 3d 7f 9f 4d 51 58"));
}

}  // namespace
}  // namespace squall::websocket::frame_test
