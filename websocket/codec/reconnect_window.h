#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

// The reason of a close frame with 1012 (service restart) by which a server of this library tells its clients
// when to come back, so that they do not all come at the same time.
namespace squall::websocket {

// `reconnect-within-ms=10000`: each client connects again at a random moment of that time.
std::string reconnect_reason(std::chrono::milliseconds within);
// nullopt for every other reason, and for more than a day.
std::optional<std::chrono::milliseconds> parse_reconnect_reason(std::string_view reason) noexcept;

}  // namespace squall::websocket
