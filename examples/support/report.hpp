// Tells a person what a connection did: flights, what was negotiated, certificates.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include <tlsconnect/tlsconnect.hpp>

#include "terminal.hpp"
#include "trace.hpp"

namespace example {

class Report {
public:
  explicit Report(std::FILE* out) : out_(out), style_(out) {}

  [[nodiscard]] const Style& style() const { return style_; }

  void title(std::string_view text) const {
    const std::size_t inner = std::max(columns - 4, width(text));
    line("");
    line(style_.dim("╭" + repeat("─", inner + 2) + "╮"));
    line(style_.dim("│ ") + style_.bold(left(text, inner)) + style_.dim(" │"));
    line(style_.dim("╰" + repeat("─", inner + 2) + "╯"));
  }

  /// What went over the wire, and what the handshake's part of it contained. `sent` and `received` name the rest.
  void flights(const Trace& trace, const tlsconnect::ConnectionInfo& info, std::string_view sent,
               std::string_view received) const {
    heading("Flights");
    // A flight of the handshake is one run of messages in the same direction.
    std::size_t next = 0;
    for (const Flight& flight : trace.flights()) {
      std::vector<std::string> items;
      if (flight.phase == Phase::handshake) {
        for (; next < info.messages.size() && info.messages[next].sent == flight.sent; ++next) {
          const tlsconnect::TracedMessage& message = info.messages[next];
          const bool retry = info.hello_retry_request && next == 1;
          items.push_back(std::string(retry ? "hello_retry_request" : tlsconnect::name_of(message.type)) + " " +
                          style_.dim(grouped(message.size)));
        }
        if (flight.sent && handshake_finished(info, next) && !sent.empty())
          items.push_back(style_.magenta(sent));
        else if (items.empty())
          items.push_back(style_.dim(flight.sent ? "alert" : "data before an error"));
      } else if (flight.phase == Phase::exchange) {
        items.push_back(style_.magenta(flight.sent ? "key_update or alert" : received));
      } else {
        items.push_back(style_.dim(flight.sent ? "close_notify" : "until the end of the connection"));
      }
      if (flight.calls > 1)
        items.push_back(style_.dim("in " + std::to_string(flight.calls) + (flight.sent ? " writes" : " reads")));
      const std::string arrow = flight.sent ? style_.blue("──▶") : style_.green("◀──");
      wrapped("  " + style_.dim(right(milliseconds(flight.milliseconds), 9)) + "  " + arrow +
                  style_.bold(right(grouped(flight.bytes) + " B", 10)) + "  ",
              items, style_.dim(" · "));
    }
  }

  void connection(const tlsconnect::ConnectionInfo& info, double handshake_ms) const {
    heading("Connection");
    row("version", std::string(tlsconnect::name_of(info.version)));
    row("cipher suite", std::string(tlsconnect::name_of(info.cipher_suite)));
    row("key exchange",
        std::string(tlsconnect::name_of(info.group)) +
            (info.post_quantum() ? "  " + style_.green("✔ post-quantum") : "  " + style_.yellow("not post-quantum")));
    row("signature", std::string(tlsconnect::name_of(info.signature_scheme)));
    row("protocol",
        info.application_protocol.empty() ? style_.dim("none agreed on (ALPN)") : harmless(info.application_protocol));
    const bool old_and_full = info.version == tlsconnect::ProtocolVersion::tls1_2 && !info.resumed();
    row("handshake", milliseconds(handshake_ms) + (info.hello_retry_request ? ", 2 round trips (the server asked again)"
                                                   : old_and_full           ? ", 2 round trips"
                                                                            : ", 1 round trip"));
    row("traffic", grouped(info.bytes_sent) + " B in " + grouped(info.records_sent) + " records sent, " +
                       grouped(info.bytes_received) + " B in " + grouped(info.records_received) + " received");
  }

  /// After a failure, what the server sent is shown too, and marked.
  void certificates(const tlsconnect::ConnectionInfo& info, std::int64_t now, bool accepted) const {
    if (info.peer_chain.empty())
      return;
    heading(accepted ? "Certificates" : "Certificates, as the server sent them");
    for (std::size_t i = 0; i < info.peer_chain.size(); ++i) {
      const bool last = i + 1 == info.peer_chain.size();
      const auto certificate = tlsconnect::Certificate::from_der(info.peer_chain[i]);
      if (!certificate) {
        line("  " + style_.red(harmless(certificate.error().message())));
        continue;
      }
      const std::string stem = style_.dim(last ? "    " : "  │ ");
      line("  " + style_.dim(last ? "└ " : "├ ") + style_.bold(harmless(certificate->subject())));
      line(stem + style_.dim("issuer  ") + harmless(certificate->issuer()));
      line(stem + style_.dim("valid   ") + date(certificate->not_before()) + " to " + date(certificate->not_after()) +
           "  " + remaining(certificate->not_after() - now));
      line(stem + style_.dim("key     ") + harmless(certificate->key_description()) + style_.dim(", signed with ") +
           harmless(certificate->signature_description()));
      if (const std::string names = names_of(*certificate); !names.empty())
        line(stem + style_.dim("names   ") + names);
    }
    if (accepted)
      sentence(style_.green("✔ "), info.verification);
  }

  void failure(std::string_view what) const {
    line("");
    sentence(style_.red("✘ "), what);
  }

  void heading(std::string_view text) const {
    line("");
    line(" " + style_.bold(text));
  }
  void row(std::string_view name, std::string_view value) const {
    line("  " + style_.dim(left(name, 14)) + std::string(value));
  }
  void line(std::string_view text) const { std::fprintf(out_, "%.*s\n", static_cast<int>(text.size()), text.data()); }

private:
  static constexpr std::size_t columns = 96;

  /// Whether the message before `next` was this client's Finished.
  /// Both sides have, among the first `next` messages; which one is the first depends on the version.
  static bool handshake_finished(const tlsconnect::ConnectionInfo& info, std::size_t next) {
    int finished = 0;
    for (std::size_t i = 0; i < next; ++i)
      finished += info.messages[i].type == tlsconnect::HandshakeType::finished;
    return finished == 2;
  }

  static std::string date(std::int64_t seconds) {
    const auto when = static_cast<std::time_t>(seconds);
    std::tm parts{};
    char text[32] = {};
    if (::gmtime_r(&when, &parts) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%d", &parts) == 0)
      return std::to_string(seconds);
    return text;
  }

  [[nodiscard]] std::string remaining(std::int64_t seconds) const {
    if (seconds < 0)
      return style_.red("expired");
    const std::string text = seconds >= 172'800 ? grouped(static_cast<std::uint64_t>(seconds / 86'400)) + " days left"
                                                : grouped(static_cast<std::uint64_t>(seconds / 3'600)) + " hours left";
    return seconds < 86'400 ? style_.yellow(text) : style_.dim(text);
  }

  [[nodiscard]] std::string names_of(const tlsconnect::Certificate& certificate) const {
    constexpr std::size_t shown = 4;
    std::string text;
    std::size_t count = 0;
    for (const std::string& name : certificate.dns_names())
      if (++count <= shown)
        text += (text.empty() ? "" : ", ") + harmless(name);
    if (count > shown)
      text += style_.dim(" and " + std::to_string(count - shown) + " more");
    if (const std::size_t addresses = certificate.ip_addresses().size(); addresses > 0)
      text += (text.empty() ? "" : ", ") + std::to_string(addresses) + (addresses == 1 ? " address" : " addresses");
    return text;
  }

  /// A sentence behind a mark, over as many lines as it needs.
  void sentence(const std::string& mark, std::string_view text) const {
    std::vector<std::string> words;
    for (const std::string safe = harmless(text); const char letter : " " + safe) {
      if (letter == ' ')
        words.emplace_back();
      else
        words.back().push_back(letter);
    }
    wrapped("  " + mark, words, " ");
  }

  /// Items behind a prefix, over as many lines as they need.
  void wrapped(const std::string& prefix, const std::vector<std::string>& items, const std::string& separator) const {
    std::string text = prefix;
    std::size_t used = width(prefix);
    const std::size_t indent = used;
    bool first = true;
    for (const std::string& item : items) {
      const std::size_t gap = width(separator);
      if (!first && used + gap + width(item) > columns) {
        line(text);
        text = std::string(indent, ' ');
        used = indent;
        first = true;
      }
      text += (first ? "" : separator) + item;
      used += width(item) + (first ? 0 : gap);
      first = false;
    }
    line(text);
  }

  std::FILE* out_;
  Style style_;
};

} // namespace example
