#pragma once

#include <squall/iostream/tls/tls_context.h>
#include <squall/iostream/tls/tls_options.h>
#include <squall/iostream/tls/tls_setup.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

namespace squall {

// The state that copies of a TLSContext share.
struct TLSContext::State {
  explicit State(TLSServerOptions options) : options(std::move(options)) {}
  explicit State(TLSClientOptions options) : options(std::move(options)) {}

  bool ktls() const noexcept {
    return std::visit([](const auto& any) { return any.ktls; }, options);
  }
  std::optional<std::chrono::nanoseconds> handshake_timeout() const noexcept {
    return std::visit([](const auto& any) { return any.handshake_timeout; }, options);
  }
  bool is_server() const noexcept { return options.index() == 0; }
  const TLSClientOptions& client() const noexcept { return *std::get_if<1>(&options); }

  const std::variant<TLSServerOptions, TLSClientOptions> options;
  std::mutex reloading;  // held by a reload() from reading the files until the swap
  std::mutex mutex;
  std::shared_ptr<const TLSSetup> setup;  // guarded by the mutex
};

}  // namespace squall
