#include <squall/websocket/codec/deflate_negotiation.h>

#include <fmt/format.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/catch.h"

namespace squall::websocket::deflate_negotiation_test {
namespace {

std::string text_of(const DeflateWindow& window) {
  return fmt::format("{}{}", window.bits, window.context_takeover ? "" : "n");
}
// Bits of the window to send with and of the window to receive with; `n`: no context takeover.
std::string text_of(const DeflateTerms& terms) { return text_of(terms.send) + '/' + text_of(terms.receive); }

// The server's terms and answer, or `declined`.
std::string answer(std::string_view offers, const DeflateOptions& options = {}) {
  const auto extensions = parse_extensions(offers);
  REQUIRE(extensions);
  const auto answer = answer_deflate(*extensions, options);
  if (!answer) return "declined";
  std::string params = answer->field;
  REQUIRE(params.starts_with("permessage-deflate"));
  return text_of(answer->terms) + params.substr(18);
}

// The client's terms, `none` without compression, or `failed`.
std::string accept(std::string_view field, const DeflateOptions* offered) {
  const auto extensions = parse_extensions(field);
  REQUIRE(extensions);
  std::optional<DeflateTerms> terms;
  if (!accept_deflate(*extensions, offered, terms)) return "failed";
  return terms ? text_of(*terms) : "none";
}
std::string accept(std::string_view field, const DeflateOptions& offered) { return accept(field, &offered); }

TEST_CASE("an offer without parameters is accepted as it is (WSK-60)", "[deflate_negotiation]") {
  CHECK(answer("permessage-deflate") == "15/15");
  CHECK(answer("x-other; a=b, permessage-deflate") == "15/15");
  CHECK(answer("Permessage-Deflate") == "15/15");
}

TEST_CASE("without an acceptable offer there is no compression (WSK-06, WSK-60)", "[deflate_negotiation]") {
  CHECK(answer("") == "declined");
  CHECK(answer("x-webkit-deflate-frame, permessage-bzip2") == "declined");
}

TEST_CASE("the answer echoes the parameters in the order of their names (WSK-62)", "[deflate_negotiation]") {
  CHECK(answer("permessage-deflate; client_max_window_bits=10; server_max_window_bits=9") ==
        "9/10; client_max_window_bits=10; server_max_window_bits=9");
  CHECK(answer("permessage-deflate; server_max_window_bits=\"12\"; client_max_window_bits") ==
        "12/15; server_max_window_bits=12");
  CHECK(answer("permessage-deflate; client_max_window_bits") == "15/15");
}

TEST_CASE("value-less parameters are honoured and echoed (WSK-68)", "[deflate_negotiation]") {
  CHECK(answer("permessage-deflate; server_no_context_takeover; client_no_context_takeover") ==
        "15n/15n; client_no_context_takeover; server_no_context_takeover");
  CHECK(answer("permessage-deflate; server_no_context_takeover") == "15n/15; server_no_context_takeover");
  CHECK(answer("permessage-deflate; client_no_context_takeover") == "15/15n; client_no_context_takeover");
}

TEST_CASE("an offer with an unknown, repeated or malformed parameter is declined (WSK-61; RFC 7692, 7.1)",
          "[deflate_negotiation]") {
  for (const char* const bad :
       {"unknown", "server_no_context_takeover=1", "client_no_context_takeover=true",
        "server_max_window_bits", "server_max_window_bits=7", "server_max_window_bits=16",
        "server_max_window_bits=08", "server_max_window_bits=1", "server_max_window_bits=-8",
        "server_max_window_bits=9x", "client_max_window_bits=7", "client_max_window_bits=16",
        "client_max_window_bits=010", "client_max_window_bits=99999999999",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; Client_No_Context_Takeover",
        "server_max_window_bits=9; server_max_window_bits=9",
        "client_max_window_bits; client_max_window_bits",
        "client_max_window_bits; client_max_window_bits=9"}) {
    CAPTURE(bad);
    const std::string offer = fmt::format("permessage-deflate; {}", bad);
    CHECK(answer(offer) == "declined");
    CHECK(answer(offer + ", permessage-deflate; server_max_window_bits=10") ==
          "10/15; server_max_window_bits=10");
    CHECK(answer("permessage-deflate, " + offer) == "15/15");
  }
}

TEST_CASE("each number of window bits from 8 to 15 is accepted", "[deflate_negotiation]") {
  for (int bits = 8; bits <= 15; ++bits) {
    const std::string sends = fmt::format("server_max_window_bits={}", bits);
    CHECK(answer("permessage-deflate; " + sends) == fmt::format("{}/15; {}", bits, sends));
    const std::string receives = fmt::format("client_max_window_bits={}", bits);
    CHECK(answer("permessage-deflate; " + receives) == fmt::format("15/{}; {}", bits, receives));
  }
}

TEST_CASE("the server's own wishes narrow the terms", "[deflate_negotiation]") {
  const DeflateOptions narrow{.send = {.bits = 11, .context_takeover = false},
                              .receive = {.bits = 10, .context_takeover = false}};
  CHECK(answer("permessage-deflate; client_max_window_bits", narrow) ==
        "11n/10n; client_max_window_bits=10; client_no_context_takeover; server_max_window_bits=11; "
        "server_no_context_takeover");
  CHECK(answer("permessage-deflate; client_max_window_bits=9; server_max_window_bits=15", narrow) ==
        "11n/9n; client_max_window_bits=9; client_no_context_takeover; server_max_window_bits=11; "
        "server_no_context_takeover");
  // A client that does not offer it cannot be told to limit its window (RFC 7692, 7.1.2.2).
  CHECK(answer("permessage-deflate", {.receive = {.bits = 10}}) == "15/15");
}

TEST_CASE("a client offers what it wants, and always to limit its window (WSK-67)", "[deflate_negotiation]") {
  CHECK(offer_deflate({}) == "permessage-deflate; client_max_window_bits");
  CHECK(offer_deflate({.send = {.bits = 9, .context_takeover = false},
                       .receive = {.bits = 8, .context_takeover = false}}) ==
        "permessage-deflate; client_max_window_bits=9; client_no_context_takeover; server_max_window_bits=8; "
        "server_no_context_takeover");
}

TEST_CASE("a client takes the terms from the answer", "[deflate_negotiation]") {
  const DeflateOptions plain;
  CHECK(accept("", plain) == "none");
  CHECK(accept("permessage-deflate", plain) == "15/15");
  CHECK(accept("permessage-deflate; client_max_window_bits=8; server_max_window_bits=9", plain) == "8/9");
  CHECK(accept("permessage-deflate; client_no_context_takeover; server_no_context_takeover", plain) ==
        "15n/15n");
  const DeflateOptions narrow{.send = {.bits = 11, .context_takeover = false}, .receive = {.bits = 10}};
  CHECK(accept("permessage-deflate; server_max_window_bits=10", narrow) == "11n/10");
  CHECK(accept("permessage-deflate; server_max_window_bits=9; client_max_window_bits=9", narrow) == "9n/9");
}

TEST_CASE("a client fails on an answer that it did not offer (WSK-67; RFC 6455, 4.1)",
          "[deflate_negotiation]") {
  CHECK(accept("", nullptr) == "none");
  CHECK(accept("permessage-deflate", nullptr) == "failed");
  const DeflateOptions plain;
  CHECK(accept("x-other", plain) == "failed");
  CHECK(accept("permessage-deflate, x-other", plain) == "failed");
  CHECK(accept("permessage-deflate, permessage-deflate", plain) == "failed");
}

TEST_CASE("a client fails on an answer that is malformed or breaks its offer (RFC 7692, 7.1)",
          "[deflate_negotiation]") {
  const DeflateOptions plain;
  for (const char* const bad :
       {"unknown", "client_max_window_bits", "client_max_window_bits=7", "client_max_window_bits=16",
        "server_max_window_bits", "server_max_window_bits=16", "server_max_window_bits=010",
        "server_no_context_takeover=1", "client_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits=9; server_max_window_bits=9"}) {
    CAPTURE(bad);
    CHECK(accept(fmt::format("permessage-deflate; {}", bad), plain) == "failed");
  }
  const DeflateOptions narrow{.send = {.bits = 11}, .receive = {.bits = 10}};
  CHECK(accept("permessage-deflate; server_max_window_bits=10; client_max_window_bits=12", narrow) ==
        "failed");
  CHECK(accept("permessage-deflate; server_max_window_bits=11", narrow) == "failed");
  CHECK(accept("permessage-deflate", narrow) == "failed");
  CHECK(accept("permessage-deflate", {.receive = {.context_takeover = false}}) == "failed");
  CHECK(accept("permessage-deflate; server_no_context_takeover", {.receive = {.context_takeover = false}}) ==
        "15/15n");
}

TEST_CASE("what a client offers, a server's answer keeps", "[deflate_negotiation]") {
  const auto options = [](int code) {
    const auto window = [](int part) {
      return DeflateWindow{.bits = 8 + part % 8, .context_takeover = part < 8};
    };
    return DeflateOptions{.send = window(code % 16), .receive = window(code / 16)};
  };
  for (int client = 0; client < 256; ++client)
    for (int server = 0; server < 256; server += 5) {
      const DeflateOptions offered = options(client);
      const auto answer = answer_deflate(*parse_extensions(offer_deflate(offered)), options(server));
      REQUIRE(answer);
      std::optional<DeflateTerms> terms;
      REQUIRE(accept_deflate(*parse_extensions(answer->field), &offered, terms));
      REQUIRE(terms);
      REQUIRE(terms->send == answer->terms.receive);
      REQUIRE(terms->receive == answer->terms.send);
    }
}

TEST_CASE("options out of range are refused (WSK-28)", "[deflate_negotiation]") {
  check_deflate_options({});
  check_deflate_options({.level = 0, .memory_level = 1, .send = {.bits = 8}, .receive = {.bits = 8}});
  check_deflate_options({.level = 9, .memory_level = 9});
  const DeflateOptions bad[] = {
      {.level = -1},         {.level = 10},          {.memory_level = 0},      {.memory_level = 10},
      {.send = {.bits = 7}}, {.send = {.bits = 16}}, {.receive = {.bits = 7}}, {.receive = {.bits = 16}}};
  for (const DeflateOptions& options : bad)
    CHECK_THROWS_AS(check_deflate_options(options), std::invalid_argument);
}

}  // namespace
}  // namespace squall::websocket::deflate_negotiation_test
