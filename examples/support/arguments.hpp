// The command line of an example: options, and one URL.
#pragma once

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace example {

class Arguments {
public:
  /// Takes these options, each followed by its value, and these flags, which have none; nothing when there is something
  /// else, when a value is missing, or when there is not exactly one URL.
  static std::optional<Arguments> parse(int argc, char** argv, std::initializer_list<std::string_view> options,
                                        std::initializer_list<std::string_view> flags = {}) {
    const auto listed = [](std::initializer_list<std::string_view> list, std::string_view name) {
      return std::find(list.begin(), list.end(), name) != list.end();
    };
    Arguments result;
    for (int i = 1; i < argc; ++i) {
      const std::string_view argument = argv[i];
      if (listed(flags, argument))
        result.given_.insert_or_assign(std::string(argument), "");
      else if (listed(options, argument) && i + 1 < argc)
        result.given_.insert_or_assign(std::string(argument), argv[++i]);
      else if (!argument.starts_with("--") && result.url_.empty())
        result.url_ = argument;
      else
        return std::nullopt;
    }
    return result.url_.empty() ? std::nullopt : std::optional(std::move(result));
  }

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] bool has(std::string_view name) const { return given_.contains(name); }
  /// The option's value, or that of an option that was not given.
  [[nodiscard]] std::string value(std::string_view name, std::string_view otherwise = {}) const {
    const auto found = given_.find(name);
    return found == given_.end() ? std::string(otherwise) : found->second;
  }

private:
  std::string url_;
  std::map<std::string, std::string, std::less<>> given_;
};

} // namespace example
