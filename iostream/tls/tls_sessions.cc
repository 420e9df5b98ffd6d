#include <squall/iostream/tls/tls_sessions.h>

#include <ctime>
#include <new>
#include <utility>

namespace squall {
namespace {

bool is_usable(const SSL_SESSION* session) {
  const long age = static_cast<long>(std::time(nullptr)) - ::SSL_SESSION_get_time(session);
  return age >= 0 && age < ::SSL_SESSION_get_timeout(session) && ::SSL_SESSION_is_resumable(session);
}

}  // namespace

void TLSSessions::keep(std::string_view server, openssl::Session session) noexcept {
  if (servers_ == 0 || server.empty()) return;
  try {
    const std::lock_guard lock(mutex_);
    auto found = by_server_.find(server);
    if (found == by_server_.end()) {
      found = by_server_.try_emplace(std::string(server)).first;
      try {
        found->second.age = ages_.insert(ages_.end(), found->first);
      } catch (...) {
        by_server_.erase(found);
        throw;
      }
      if (by_server_.size() > servers_) {
        by_server_.erase(by_server_.find(ages_.front()));
        ages_.pop_front();
      }
    } else {
      ages_.splice(ages_.end(), ages_, found->second.age);
    }
    auto& sessions = found->second.sessions;
    sessions.push_back(std::move(session));
    if (sessions.size() > kPerServer) sessions.pop_front();
  } catch (const std::bad_alloc&) {
    // No memory: the next handshake is a full handshake.
  }
}

openssl::Session TLSSessions::take(std::string_view server) {
  const std::lock_guard lock(mutex_);
  const auto found = by_server_.find(server);
  if (found == by_server_.end()) return nullptr;
  auto& sessions = found->second.sessions;
  while (!sessions.empty()) {
    if (!is_usable(sessions.back().get())) {
      sessions.pop_back();
    } else if (::SSL_SESSION_get_protocol_version(sessions.back().get()) == TLS1_3_VERSION) {
      openssl::Session session = std::move(sessions.back());
      sessions.pop_back();
      return session;
    } else {
      ::SSL_SESSION_up_ref(sessions.back().get());
      return openssl::Session(sessions.back().get());
    }
  }
  return nullptr;
}

void TLSSessions::forget(std::string_view server) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = by_server_.find(server);
  if (found == by_server_.end()) return;
  ages_.erase(found->second.age);
  by_server_.erase(found);
}

std::size_t TLSSessions::size() const noexcept {
  const std::lock_guard lock(mutex_);
  return by_server_.size();
}

}  // namespace squall
