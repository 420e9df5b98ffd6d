#pragma once

namespace squall::http {

class ServerRequest;

// What a client that went away before its answer is logged with: nginx's number for it.
inline constexpr int kClientGone = 499;

// A line in the access log (WEB-204): `200 GET /users/1 (127.0.0.1) 0.42ms`, by the status as information, a
// warning or an error. Never throws.
void log_access(const ServerRequest& request, int status) noexcept;

}  // namespace squall::http
