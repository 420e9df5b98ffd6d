// WebSocket frames. The first byte of an input selects the options, the second one the pieces. For each way
// to cut the bytes the parser gives the same as a slow, obvious one, and the reader the same messages.

#include <squall/ioloop/base/utf8.h>
#include <squall/websocket/codec/frame.h>
#include <squall/websocket/codec/frame_parser.h>
#include <squall/websocket/codec/message_reader.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"

namespace squall::websocket {
namespace {

// The events in their order: `T` or `B` (with `z` if compressed) and a message in angle brackets; `9`, `10`
// or `8` and a control frame; the code of a fault. `rest` is the message that is not complete.
struct Outcome {
  std::string events;
  std::string rest;

  void end_message(Opcode opcode, bool is_compressed) {
    events += opcode == Opcode::text ? 'T' : 'B';
    if (is_compressed) events += 'z';
    add(rest);
    rest.clear();
  }
  void control(Opcode opcode, std::string_view payload) {
    events += std::to_string(static_cast<int>(opcode));
    add(payload);
  }
  void add(std::string_view payload) { events.append("<").append(payload).append(">"); }

  bool operator==(const Outcome&) const = default;
};

// RFC 6455, 5.2, with all bytes at hand.
Outcome obvious(std::string_view bytes, const FrameParser::Options& options) {
  Outcome outcome;
  const auto fail = [&](int code) {
    outcome.events += '!' + std::to_string(code);
    return outcome;
  };
  const auto bits = [&](std::size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(bytes[i]));
  };
  const std::uint64_t no_limit = static_cast<std::uint64_t>(-1);
  std::optional<Opcode> open;
  bool is_compressed = false;
  std::uint64_t sum = 0;
  while (bytes.size() >= 2) {
    FrameHead head;
    head.fin = bits(0) >= 128;
    head.compressed = bits(0) / 64 % 2 == 1;
    const unsigned opcode = bits(0) % 16;
    head.opcode = static_cast<Opcode>(opcode);
    const bool is_masked = bits(1) >= 128;
    if (bits(0) / 16 % 4 != 0) return fail(1002);
    if (head.compressed && (!options.has_deflate || (opcode != 1 && opcode != 2))) return fail(1002);
    if (opcode != 0 && opcode != 1 && opcode != 2 && opcode != 8 && opcode != 9 && opcode != 10)
      return fail(1002);
    if (opcode >= 8 && (!head.fin || bits(1) % 128 > 125)) return fail(1002);
    if (opcode == 0 && !open) return fail(1002);
    if ((opcode == 1 || opcode == 2) && open) return fail(1002);
    if (options.role == Role::client ? is_masked : !is_masked && !options.accepts_unmasked) return fail(1002);
    const std::size_t digits = bits(1) % 128 == 126 ? 2 : bits(1) % 128 == 127 ? 8 : 0;
    if (bytes.size() < 2 + digits) break;
    head.size = digits == 0 ? bits(1) % 128 : 0;
    for (std::size_t i = 0; i < digits; ++i) head.size = head.size * 256 + bits(2 + i);
    if (digits == 2 && head.size < 126) return fail(1002);
    if (digits == 8 && head.size < 65536) return fail(1002);
    if (head.size > no_limit / 2) return fail(1002);
    if (opcode < 8) {
      if (opcode != 0) sum = 0;
      if (head.size > options.max_frame_size.value_or(no_limit)) return fail(1009);
      if (head.size > options.max_message_size.value_or(no_limit) - sum) return fail(1009);
    }
    const std::size_t head_size = 2 + digits + (is_masked ? 4 : 0);
    if (bytes.size() < head_size) break;
    if (is_masked) {
      head.key.emplace();
      bytes.copy(head.key->data(), 4, head_size - 4);
    }
    FUZZ_CHECK(EncodedHead(head).bytes() == bytes.substr(0, head_size));
    std::string payload(
        bytes.substr(head_size, static_cast<std::size_t>(std::min<std::uint64_t>(head.size, bytes.size()))));
    for (std::size_t i = 0; i < payload.size() && is_masked; ++i)
      payload[i] = static_cast<char>(payload[i] ^ (*head.key)[i % 4]);
    bytes.remove_prefix(head_size + payload.size());
    if (opcode >= 8) {
      if (payload.size() < head.size) break;
      outcome.control(head.opcode, payload);
      if (opcode == 8) break;
      continue;
    }
    if (opcode != 0) {
      open = head.opcode;
      is_compressed = head.compressed;
    }
    sum += head.size;
    outcome.rest += payload;
    if (payload.size() < head.size) break;
    if (head.fin) {
      outcome.end_message(*open, is_compressed);
      open.reset();
    }
  }
  return outcome;
}

// Passes copies of exactly the size of each piece, so that AddressSanitizer finds a read beyond it.
void cut(std::string_view bytes, const std::function<std::size_t()>& next_size,
         const std::function<void(std::span<char>)>& feed) {
  while (!bytes.empty()) {
    std::string piece(bytes.substr(0, next_size()));
    bytes.remove_prefix(piece.size());
    feed(piece);
  }
}

Outcome parse(std::string_view input, const FrameParser::Options& options,
              const std::function<std::size_t()>& next_size) {
  FrameParser parser(options);
  Outcome outcome;
  bool has_failed = false;
  cut(input, next_size, [&](std::span<char> bytes) {
    for (;;) {
      std::string_view payload;
      const std::size_t before = bytes.size();
      const auto result = parser.parse(bytes, payload);
      FUZZ_CHECK(bytes.size() <= before);
      if (result == FrameParser::Result::failed) {
        if (!has_failed) outcome.events += '!' + std::to_string(parser.fault().code);
        has_failed = true;
        return;
      }
      FUZZ_CHECK(!has_failed);
      if (result == FrameParser::Result::more) {
        FUZZ_CHECK(bytes.empty());
        return;
      }
      if (result == FrameParser::Result::control) {
        outcome.control(parser.control(), payload);
        continue;
      }
      outcome.rest += payload;
      if (parser.ends_message()) outcome.end_message(parser.message(), parser.is_compressed());
    }
  });
  return outcome;
}

Outcome read(std::string_view input, const MessageReader::Options& options,
             const std::function<std::size_t()>& next_size) {
  MessageReader reader(options);
  Outcome outcome;
  bool has_failed = false;
  cut(input, next_size, [&](std::span<char> bytes) {
    for (;;) {
      const auto result = reader.read(bytes);
      if (result == MessageReader::Result::more) return;
      if (result == MessageReader::Result::failed) {
        if (!has_failed) outcome.events += '!' + std::to_string(reader.fault().code);
        has_failed = true;
        return;
      }
      FUZZ_CHECK(!has_failed);
      outcome.events += std::to_string(static_cast<int>(result));
      if (result == MessageReader::Result::close) {
        const CloseStatus& status = reader.close_status();
        FUZZ_CHECK(is_utf8(status.reason) && is_sendable(status.code.value_or(close_code::kNormal)));
        outcome.add(status.reason);
        continue;
      }
      const bool is_message =
          result == MessageReader::Result::text || result == MessageReader::Result::binary;
      FUZZ_CHECK(result != MessageReader::Result::text || is_utf8(reader.payload()));
      FUZZ_CHECK(reader.payload().size() <= (is_message ? options.max_message_size : kMaxControlPayload));
      outcome.add(reader.payload());
    }
  });
  return outcome;
}

void check(std::string_view input) {
  if (input.size() < 2) return;
  const auto choice = static_cast<unsigned char>(input[0]);
  const std::uint32_t seed = static_cast<unsigned char>(input[1]);
  input.remove_prefix(2);

  FrameParser::Options options;
  options.role = choice & 1 ? Role::client : Role::server;
  options.has_deflate = choice & 2;
  options.accepts_unmasked = choice & 4;
  if (choice & 8) options.max_message_size = 100;
  if (choice & 16) options.max_frame_size = 10;
  if (choice & 32) options.max_message_size.reset();
  MessageReader::Options reading;
  reading.role = options.role;
  reading.accepts_unmasked = options.accepts_unmasked;
  reading.max_message_size = choice & 8 ? 100 : 100'000;
  if (options.has_deflate) reading.deflate = DeflateWindow{.context_takeover = (choice & 64) != 0};

  const auto whole = [&] { return input.size(); };
  const auto bytes = [] { return std::size_t{1}; };
  const auto steps = [&] { return std::size_t{seed % 32 + 2}; };
  std::uint32_t state = seed;
  const auto random = [&] {
    state = state * 1664525 + 1013904223;
    return std::size_t{(state >> 24) % 20 + 1};
  };
  const Outcome expected = obvious(input, options);
  const Outcome messages = read(input, reading, whole);
  FUZZ_CHECK(parse(input, options, whole) == expected);
  FUZZ_CHECK(parse(input, options, bytes) == expected);
  FUZZ_CHECK(parse(input, options, steps) == expected);
  FUZZ_CHECK(parse(input, options, random) == expected);
  FUZZ_CHECK(read(input, reading, bytes) == messages);
  FUZZ_CHECK(read(input, reading, random) == messages);
}

}  // namespace
}  // namespace squall::websocket

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  squall::websocket::check(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
