#include <squall/iostream/tls/tls_context.h>

#include <squall/iostream/tls/tls_context_state.h>

#include <stdexcept>
#include <utility>

namespace squall {

TLSContext::TLSContext(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}

TLSContext TLSContext::server(TLSServerOptions options) {
  TLSContext context(std::make_shared<State>(std::move(options)));
  context.reload();
  return context;
}

TLSContext TLSContext::client(TLSClientOptions options) {
  TLSContext context(std::make_shared<State>(std::move(options)));
  context.reload();
  return context;
}

void TLSContext::reload() {
  State& state = *state_;
  // Of two reloads, the one that read the files last must also be the last to set its result.
  const std::lock_guard one_at_a_time(state.reloading);
  std::shared_ptr<const TLSSetup> fresh;
  if (const auto* options = std::get_if<TLSServerOptions>(&state.options)) {
    fresh = std::make_shared<const TLSSetup>(*options);
  } else {
    fresh = std::make_shared<const TLSSetup>(state.client());
  }
  const std::lock_guard lock(state.mutex);
  state.setup.swap(fresh);
}

TLSContext TLSContext::without_certificate() const {
  if (is_server()) throw std::logic_error("A server's TLSContext has no form without a certificate");
  TLSContext anonymous = *this;
  anonymous.identity_ = Identity::withheld;
  return anonymous;
}

bool TLSContext::is_server() const noexcept { return state_->is_server(); }

std::optional<std::chrono::nanoseconds> TLSContext::handshake_timeout() const noexcept {
  return state_->handshake_timeout();
}

std::size_t TLSContext::sessions() const noexcept {
  return (is_anonymous() ? setup()->anonymous_sessions() : setup()->sessions()).size();
}

std::shared_ptr<const TLSSetup> TLSContext::setup() const {
  const std::lock_guard lock(state_->mutex);
  return state_->setup;
}

}  // namespace squall
