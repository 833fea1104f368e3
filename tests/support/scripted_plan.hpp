// What a scripted server will do: steps with names, which a test edits, drops, repeats or reorders. A step is a handshake
// message, whose body is made when its turn comes (so that a signature covers what was really sent), or an action, such
// as changing keys or sending a raw record.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scripted_messages.hpp"

namespace test {

template <class Server>
struct BasicStep {
  std::string name;
  HandshakeType type{};
  std::function<ByteVector(Server&)> body;  ///< of a handshake message; made when its turn comes
  std::function<void(Server&)> action = {}; ///< instead of a message
  bool in_transcript = true;
  bool joined = false;           ///< the message stays back and shares a record with the next one
  std::size_t fragment = 16'384; ///< bytes of content in one record
  std::size_t padding = 0;       ///< zeros behind the content of each sealed record
  bool waits = false;            ///< nothing is done: the client's Finished comes first

  [[nodiscard]] static BasicStep message(std::string name, HandshakeType type,
                                         std::function<ByteVector(Server&)> body) {
    return {.name = std::move(name), .type = type, .body = std::move(body)};
  }
  [[nodiscard]] static BasicStep message(std::string name, HandshakeType type, ByteVector body) {
    return message(std::move(name), type,
                   std::function<ByteVector(Server&)>([body = std::move(body)](Server&) { return body; }));
  }
  [[nodiscard]] static BasicStep act(std::string name, std::function<void(Server&)> action) {
    return {.name = std::move(name), .body = {}, .action = std::move(action)};
  }
  [[nodiscard]] static BasicStep wait(std::string name) { return {.name = std::move(name), .body = {}, .waits = true}; }

  /// Changes the body once it is made.
  BasicStep& edit(std::function<void(ByteVector&)> change) {
    body = [before = std::move(body), change = std::move(change)](Server& server) {
      ByteVector bytes = before(server);
      change(bytes);
      return bytes;
    };
    return *this;
  }
  /// The same with the body as a draft: HelloDraft, CertificateDraft, …
  template <class Draft>
  BasicStep& edit_draft(std::function<void(Draft&)> change) {
    return edit([change = std::move(change)](ByteVector& bytes) {
      Draft draft = Draft::of(bytes);
      change(draft);
      bytes = draft.body();
    });
  }
  BasicStep& edit_hello(std::function<void(HelloDraft&)> change) { return edit_draft<HelloDraft>(std::move(change)); }
  BasicStep& edit_certificate(std::function<void(CertificateDraft&)> change) {
    return edit_draft<CertificateDraft>(std::move(change));
  }
  /// Adds an extension to a ServerHello, HelloRetryRequest, EncryptedExtensions, CertificateRequest or to the first
  /// entry of a Certificate, or replaces it.
  BasicStep& with_extension(ExtensionType extension, ByteVector extension_body) {
    return edit([type = type, extension, extension_body = std::move(extension_body)](ByteVector& bytes) {
      edit_extensions(type, bytes, [&](ExtensionList& list) { set_extension(list, extension, extension_body); });
    });
  }
  BasicStep& without_extension(ExtensionType extension) {
    return edit([type = type, extension](ByteVector& bytes) {
      edit_extensions(type, bytes, [&](ExtensionList& list) { drop_extension(list, extension); });
    });
  }
  BasicStep& replace(ByteVector bytes) {
    body = [bytes = std::move(bytes)](Server&) { return bytes; };
    return *this;
  }
};

template <class Server>
class BasicPlan {
public:
  using Step = BasicStep<Server>;

  BasicPlan() = default;
  BasicPlan(std::initializer_list<Step> steps) : steps_(steps) {}
  /// The first step with that name; throws when there is none.
  Step& operator[](std::string_view name) { return *at(name); }
  [[nodiscard]] bool has(std::string_view name) const {
    return std::any_of(steps_.begin(), steps_.end(), [name](const Step& step) { return step.name == name; });
  }
  BasicPlan& drop(std::string_view name) {
    steps_.erase(at(name));
    return *this;
  }
  BasicPlan& before(std::string_view name, Step step) {
    steps_.insert(at(name), std::move(step));
    return *this;
  }
  BasicPlan& after(std::string_view name, Step step) {
    steps_.insert(at(name) + 1, std::move(step));
    return *this;
  }
  BasicPlan& append(Step step) {
    steps_.push_back(std::move(step));
    return *this;
  }
  /// The step twice in a row.
  BasicPlan& repeat(std::string_view name) {
    Step copy = *at(name);
    return after(name, std::move(copy));
  }
  BasicPlan& swap(std::string_view a, std::string_view b) {
    std::iter_swap(at(a), at(b));
    return *this;
  }
  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }

private:
  typename std::vector<Step>::iterator at(std::string_view name) {
    const auto step = std::find_if(steps_.begin(), steps_.end(), [name](const Step& s) { return s.name == name; });
    if (step == steps_.end())
      throw std::invalid_argument("test support: no step named " + std::string(name));
    return step;
  }
  std::vector<Step> steps_;
};

} // namespace test
