// Parts of the documentation that tests keep true.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace test {

/// What stands in a document between two marks.
class DocumentedPart {
public:
  /// Behind the opening mark number `place`, and before the closing one that follows it, in the document whose path that
  /// environment variable is; the Meson tests set it.
  DocumentedPart(const char* variable, std::string_view opening, std::string_view closing, std::size_t place = 1) {
    const char* path = std::getenv(variable);
    INFO(variable << " must be the path of the document; the Meson test sets it");
    REQUIRE(path != nullptr);
    path_ = path;
    std::ifstream in(path_, std::ios::binary);
    REQUIRE(in.good());
    document_.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    for (std::size_t i = 0; i < place; ++i) {
      begin_ = document_.find(opening, begin_);
      REQUIRE(begin_ != std::string::npos);
      begin_ += opening.size();
    }
    end_ = document_.find(closing, begin_);
    REQUIRE(end_ != std::string::npos);
  }

  [[nodiscard]] std::string written() const { return document_.substr(begin_, end_ - begin_); }

  /// With TLSCONNECT_UPDATE_DOCS=1 in the environment, this is written in its place; whether it was.
  [[nodiscard]] bool update(const std::string& said) const {
    const char* wanted = std::getenv("TLSCONNECT_UPDATE_DOCS");
    if (wanted == nullptr || std::string_view(wanted) != "1")
      return false;
    std::ofstream out(path_, std::ios::binary | std::ios::trunc);
    out << document_.substr(0, begin_) << said << document_.substr(end_);
    REQUIRE(out.good());
    return true;
  }

  /// It is this that stands there, unless it is to be written.
  void check(const std::string& said) const {
    if (update(said))
      return;
    INFO("run this test with TLSCONNECT_UPDATE_DOCS=1 to write it anew");
    CHECK(written() == said);
  }

private:
  std::string path_;
  std::string document_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

} // namespace test
