// A halt as a sentence.
#pragma once

#include <tlsconnect/base/halt.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL std::string Halt::message() const {
  switch (kind_) {
  case Kind::would_block: {
    std::string text = "would block; wait until";
    const char* separator = " ";
    const auto add = [&](Interest wanted, const char* what) {
      if (!includes(interest_, wanted))
        return;
      text.append(separator).append(what);
      separator = " or ";
    };
    add(Interest::read, "the transport can be read");
    add(Interest::write, "the transport can be written");
    add(Interest::verdict, "there is a verdict on the certificate");
    add(Interest::signature, "there is a signature");
    return text;
  }
  case Kind::closed:
    return "closed by the peer with close_notify";
  case Kind::truncated:
    return "truncated: the transport ended without close_notify";
  case Kind::failed:
    break;
  }
  return error_ ? error_->message() : "failed";
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
