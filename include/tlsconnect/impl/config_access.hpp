// The door to what a configuration does not show in public: for the handshake, and for tests that replay recordings.
#pragma once

#include <utility>

#include <tlsconnect/client/config.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI::detail {

struct ConfigAccess {
  static const HelloTemplate& hello_template(const ClientConfig& config) noexcept { return config.hello_template_; }
  static void set_hello_template(ClientConfig::Builder& builder, HelloTemplate fixed) {
    builder.hello_template_ = std::move(fixed);
  }
};

} // namespace tlsconnect::inline TLSCONNECT_ABI::detail
