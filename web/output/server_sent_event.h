#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

// One event of an event stream (HTML Living Standard, 9.2).
//
// Lifetime:  borrows its texts.
struct ServerSentEvent {
  // UTF-8; lines may end in LF, CRLF or CR, which the client gets as LF.
  std::string_view data{};
  // The name that the client listens to; empty: `message`.
  std::string_view event{};
  // A client that connects again sends the last id that it got, as Last-Event-ID. Empty: the id stays.
  std::string_view id{};
  // How long the client waits before it connects again.
  std::optional<std::chrono::milliseconds> retry{};
};

// Appends the event in the form that is sent. Throws std::invalid_argument, and appends nothing, if `event`
// or `id` has a CR, LF or NUL: the rest would be other fields, or other events.
void append_event(std::string& out, const ServerSentEvent& event);
// Appends a comment, which clients ignore; each line of `text` is a line of it.
void append_comment(std::string& out, std::string_view text);

}  // namespace squall::web
