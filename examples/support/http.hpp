// One HTTP/1.1 response, taken in as it arrives (RFC 9112): by length, in chunks, or until the connection closes.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace example {

class HttpResponse {
public:
  /// Takes bytes in the order in which they came; false when they are not a response.
  bool feed(std::string_view bytes) {
    if (buffer_.size() + body_.size() + bytes.size() > limit)
      state_ = State::broken;
    if (state_ == State::broken)
      return false;
    buffer_.append(bytes);
    while (step()) {
    }
    return state_ != State::broken;
  }
  /// The connection was closed properly. False when the response is not complete even so.
  bool end() {
    if (state_ == State::until_close)
      state_ = State::complete;
    return complete();
  }
  [[nodiscard]] bool complete() const { return state_ == State::complete; }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const std::string& status_line() const { return status_line_; }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& headers() const { return headers_; }
  [[nodiscard]] const std::string& body() const { return body_; }
  /// The value of the first header of this name (in lower case); empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers_)
      if (key == name)
        return value;
    return {};
  }

private:
  enum class State : std::uint8_t {
    head,
    length,
    until_close,
    chunk_size,
    chunk,
    chunk_end,
    trailers,
    complete,
    broken
  };
  static constexpr std::size_t limit = std::size_t{256} << 20;
  static constexpr std::size_t longest_head = 65'536;

  static std::string lower(std::string_view text) {
    std::string out(text);
    for (char& letter : out)
      if (letter >= 'A' && letter <= 'Z')
        letter = static_cast<char>(letter - 'A' + 'a');
    return out;
  }
  static std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
      text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
      text.remove_suffix(1);
    return text;
  }
  bool fail() {
    state_ = State::broken;
    return false;
  }
  bool go_on(State state) {
    state_ = state;
    return true;
  }

  /// One line without its end; false when it is not all there.
  bool line(std::string& out) {
    const std::size_t end = buffer_.find('\n');
    if (end == std::string::npos)
      return buffer_.size() > longest_head && fail();
    out = trimmed(std::string_view(buffer_).substr(0, end));
    buffer_.erase(0, end + 1);
    return true;
  }

  /// Does what the buffered bytes allow; false when there is nothing more to do now.
  bool step() {
    std::string text;
    switch (state_) {
    case State::head:
      return head();
    case State::length:
    case State::chunk: {
      const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, buffer_.size()));
      body_.append(buffer_, 0, count);
      buffer_.erase(0, count);
      left_ -= count;
      return left_ == 0 && go_on(state_ == State::length ? State::complete : State::chunk_end);
    }
    case State::until_close:
      body_.append(std::exchange(buffer_, {}));
      return false;
    case State::chunk_size: {
      if (!line(text))
        return false;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), left_, 16);
      if (error != std::errc() || (end != text.data() + text.size() && *end != ';' && *end != ' '))
        return fail();
      return go_on(left_ == 0 ? State::trailers : State::chunk);
    }
    case State::chunk_end:
      if (!line(text))
        return false;
      return text.empty() ? go_on(State::chunk_size) : fail();
    case State::trailers:
      if (!line(text))
        return false;
      return go_on(text.empty() ? State::complete : State::trailers);
    case State::complete:
    case State::broken:
      break;
    }
    return false;
  }

  bool head() {
    const std::size_t end = buffer_.find("\r\n\r\n");
    if (end == std::string::npos)
      return buffer_.size() > longest_head && fail();
    headers_.clear();
    line(status_line_);
    if (!status_line_.starts_with("HTTP/1.") || status_line_.size() < 12)
      return fail();
    const char* digits = status_line_.data() + 9;
    if (std::from_chars(digits, digits + 3, status_).ec != std::errc())
      return fail();
    for (std::string text; line(text) && !text.empty();) {
      const std::size_t colon = text.find(':');
      if (colon == std::string::npos)
        return fail();
      headers_.emplace_back(lower(std::string_view(text).substr(0, colon)),
                            trimmed(std::string_view(text).substr(colon + 1)));
    }
    if (status_ >= 100 && status_ < 200)
      return true; // an interim response; the real one follows
    if (status_ == 204 || status_ == 304)
      return go_on(State::complete);
    if (const std::string_view encoding = header("transfer-encoding"); !encoding.empty())
      return go_on(lower(encoding) == "chunked" ? State::chunk_size : State::broken);
    const std::string_view length = header("content-length");
    if (length.empty())
      return go_on(State::until_close);
    const auto [last, error] = std::from_chars(length.data(), length.data() + length.size(), left_);
    if (error != std::errc() || last != length.data() + length.size())
      return fail();
    return go_on(left_ == 0 ? State::complete : State::length);
  }

  State state_ = State::head;
  int status_ = 0;
  std::uint64_t left_ = 0;
  std::string buffer_;
  std::string status_line_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::string body_;
};

} // namespace example
