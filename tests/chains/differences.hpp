// Where other verifiers are known to say something else than tlsconnect, and why.
#pragma once

#include <string>
#include <vector>

namespace corpus {

/// One reason, and the pairs of the corpus that it is the reason for. A name that ends with "*" stands for all that begin
/// so.
struct Difference {
  bool accepted_there; ///< they accept the bad one of the pair; otherwise, they refuse the good one
  std::string title;
  std::string text; ///< for the documentation, in Markdown
  std::vector<std::string> both;
  std::vector<std::string> openssl;
  std::vector<std::string> gnutls;
};
[[nodiscard]] const std::vector<Difference>& differences();

/// The releases that the table was written with. What others say that is not in the table is told, but is no failure: a
/// test cannot know what a library will do.
inline constexpr const char* openssl_series = "3.0.";
inline constexpr const char* gnutls_series = "3.7.";

} // namespace corpus
