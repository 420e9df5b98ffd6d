#include <squall/websocket/codec/deflate_negotiation.h>

#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace squall::websocket {
namespace {

constexpr std::string_view kDeflateName = "permessage-deflate";
constexpr std::string_view kClientBits = "client_max_window_bits";
constexpr std::string_view kClientNoTakeover = "client_no_context_takeover";
constexpr std::string_view kServerBits = "server_max_window_bits";
constexpr std::string_view kServerNoTakeover = "server_no_context_takeover";
constexpr int kLeastBits = 8;
constexpr int kMostBits = 15;

// The parameters of an offer or an answer.
struct DeflateParams {
  bool has_client_bits = false;
  std::optional<int> client_bits{};  // nullopt without a value: only in an offer
  std::optional<int> server_bits{};
  bool client_no_takeover = false;
  bool server_no_takeover = false;
};

// 8 to 15 without leading zeros (RFC 7692, 7.1.2).
std::optional<int> parse_bits(std::string_view value) {
  if (value.size() == 1 && (value[0] == '8' || value[0] == '9')) return value[0] - '0';
  if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5') return 10 + value[1] - '0';
  return std::nullopt;
}

// False for a parameter that is repeated or has a value.
bool take_flag(const ExtensionParam& param, bool& flag) {
  if (flag || param.value) return false;
  flag = true;
  return true;
}

std::optional<DeflateParams> read_params(const Extension& extension) {
  DeflateParams params;
  for (const ExtensionParam& param : extension.params) {
    if (equals_ignoring_case(param.name, kClientNoTakeover)) {
      if (!take_flag(param, params.client_no_takeover)) return std::nullopt;
    } else if (equals_ignoring_case(param.name, kServerNoTakeover)) {
      if (!take_flag(param, params.server_no_takeover)) return std::nullopt;
    } else if (equals_ignoring_case(param.name, kServerBits)) {
      if (params.server_bits || !param.value) return std::nullopt;
      if (!(params.server_bits = parse_bits(*param.value))) return std::nullopt;
    } else if (equals_ignoring_case(param.name, kClientBits)) {
      if (params.has_client_bits) return std::nullopt;
      params.has_client_bits = true;
      if (param.value && !(params.client_bits = parse_bits(*param.value))) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return params;
}

std::string format_params(const DeflateParams& params) {
  std::string text(kDeflateName);
  if (params.has_client_bits) text.append("; ").append(kClientBits);
  if (params.client_bits) text += fmt::format("={}", *params.client_bits);
  if (params.client_no_takeover) text.append("; ").append(kClientNoTakeover);
  if (params.server_bits) text += fmt::format("; {}={}", kServerBits, *params.server_bits);
  if (params.server_no_takeover) text.append("; ").append(kServerNoTakeover);
  return text;
}

DeflateAnswer accept_offer(const DeflateParams& offer, const DeflateOptions& options) {
  DeflateTerms terms;
  terms.send.bits = std::min(options.send.bits, offer.server_bits.value_or(kMostBits));
  terms.send.context_takeover = options.send.context_takeover && !offer.server_no_takeover;
  // The answer may limit the client's window only if the client offers that (RFC 7692, 7.1.2.2).
  if (offer.has_client_bits)
    terms.receive.bits = std::min(options.receive.bits, offer.client_bits.value_or(kMostBits));
  terms.receive.context_takeover = options.receive.context_takeover && !offer.client_no_takeover;

  DeflateParams answer;
  if (offer.client_bits || terms.receive.bits < kMostBits) {
    answer.has_client_bits = true;
    answer.client_bits = terms.receive.bits;
  }
  if (offer.server_bits || terms.send.bits < kMostBits) answer.server_bits = terms.send.bits;
  answer.client_no_takeover = !terms.receive.context_takeover;
  answer.server_no_takeover = !terms.send.context_takeover;
  return {terms, format_params(answer)};
}

// Whether a server may answer the offer of these options with these parameters.
bool keeps_offer(const DeflateParams& answer, const DeflateOptions& offered) {
  if (answer.has_client_bits && (!answer.client_bits || *answer.client_bits > offered.send.bits))
    return false;
  if (answer.server_bits.value_or(kMostBits) > offered.receive.bits) return false;
  return answer.server_no_takeover || offered.receive.context_takeover;
}

void check_number(std::string_view what, int number, int least, int most) {
  if (number < least || number > most)
    throw std::invalid_argument(
        fmt::format("permessage-deflate: {} must be {} to {}, not {}", what, least, most, number));
}

}  // namespace

void check_deflate_options(const DeflateOptions& options) {
  check_number("level", options.level, 0, 9);
  check_number("memory_level", options.memory_level, 1, 9);
  check_number("send.bits", options.send.bits, kLeastBits, kMostBits);
  check_number("receive.bits", options.receive.bits, kLeastBits, kMostBits);
}

std::optional<DeflateAnswer> answer_deflate(std::span<const Extension> offers,
                                            const DeflateOptions& options) {
  for (const Extension& offer : offers) {
    if (!equals_ignoring_case(offer.name, kDeflateName)) continue;
    if (const auto params = read_params(offer)) return accept_offer(*params, options);
  }
  return std::nullopt;
}

std::string offer_deflate(const DeflateOptions& options) {
  DeflateParams offer;
  offer.has_client_bits = true;
  if (options.send.bits < kMostBits) offer.client_bits = options.send.bits;
  if (options.receive.bits < kMostBits) offer.server_bits = options.receive.bits;
  offer.client_no_takeover = !options.send.context_takeover;
  offer.server_no_takeover = !options.receive.context_takeover;
  return format_params(offer);
}

bool accept_deflate(std::span<const Extension> answer, const DeflateOptions* offered,
                    std::optional<DeflateTerms>& terms) {
  terms.reset();
  if (answer.empty()) return true;
  if (!offered || answer.size() > 1 || !equals_ignoring_case(answer[0].name, kDeflateName)) return false;
  const auto params = read_params(answer[0]);
  if (!params || !keeps_offer(*params, *offered)) return false;
  terms.emplace();
  terms->send.bits = params->client_bits.value_or(offered->send.bits);
  terms->send.context_takeover = offered->send.context_takeover && !params->client_no_takeover;
  terms->receive.bits = params->server_bits.value_or(kMostBits);
  terms->receive.context_takeover = !params->server_no_takeover;
  return true;
}

}  // namespace squall::websocket
