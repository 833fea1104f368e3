// From the runner's flags to a configuration of the library.
#pragma once

#include <memory>

#include <tlsconnect/client/config.hpp>

#include "identity.hpp"
#include "options.hpp"
#include "shared.hpp"

namespace bogo {

/// Whether what the flags ask for exists in this library, before anything is tried.
[[nodiscard]] std::expected<void, Refusal> check_supported(const ConnectionOptions& options);

/// The configuration of one connection. `notes` must outlive all that is made with it.
[[nodiscard]] Made<tlsconnect::ConfigPtr> configure(const ConnectionOptions& options, const Shared& shared,
                                                    std::shared_ptr<const Judge> judge, Notes& notes);
/// Whom to connect to.
[[nodiscard]] Made<tlsconnect::ServerName> server_name(const ConnectionOptions& options);

} // namespace bogo
