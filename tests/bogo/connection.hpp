// One connection to the runner, from the first byte to the last.
#pragma once

#include "client.hpp"
#include "options.hpp"

namespace bogo {

/// Connects, checks, talks and closes as the options say. `resuming`: it is not the first connection.
[[nodiscard]] Outcome run_connection(const RunOptions& run, Shared& shared, bool resuming);

} // namespace bogo
