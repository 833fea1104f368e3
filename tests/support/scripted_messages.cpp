// Messages: what a test edits before the server says it.
#include "scripted_messages.hpp"

#include <algorithm>

namespace test {

ByteVector block_of(const ExtensionList& extensions) {
  ByteVector block;
  tlsconnect::Writer writer(block);
  for (const RawExt& extension : extensions) {
    writer.number(extension.type);
    writer.opaque16(extension.body, 0, 0xFFFF);
  }
  value_of(writer.finish("extensions"));
  return block;
}

ExtensionList split_block(BytesView block) {
  ExtensionList extensions;
  tlsconnect::Reader reader(block);
  while (!reader.empty() && !reader.failed()) {
    ExtensionType type{};
    BytesView body;
    reader.number(type);
    reader.opaque16(body, 0, 0xFFFF);
    extensions.push_back({type, tlsconnect::to_vector(body)});
  }
  value_of(reader.finish("extensions"));
  return extensions;
}

const RawExt* find_extension(const ExtensionList& extensions, ExtensionType type) {
  for (const RawExt& extension : extensions)
    if (extension.type == type)
      return &extension;
  return nullptr;
}

void set_extension(ExtensionList& extensions, ExtensionType type, ByteVector body) {
  for (RawExt& extension : extensions)
    if (extension.type == type) {
      extension.body = std::move(body);
      return;
    }
  extensions.push_back({type, std::move(body)});
}

void drop_extension(ExtensionList& extensions, ExtensionType type) {
  std::erase_if(extensions, [type](const RawExt& extension) { return extension.type == type; });
}

ByteVector framed(HandshakeType type, BytesView body) {
  ByteVector out;
  tlsconnect::Writer writer(out);
  writer.number(type);
  writer.opaque24(body, 0, 0xFF'FFFF);
  return out;
}

ByteVector record_of(ContentType type, BytesView content, std::uint16_t version) {
  const tlsconnect::RecordHeader header{type, version, static_cast<std::uint16_t>(content.size())};
  const auto head = header.bytes();
  ByteVector record(head.begin(), head.end());
  record.insert(record.end(), content.begin(), content.end());
  return record;
}

ByteVector HelloDraft::body() const {
  ByteVector block;
  tlsconnect::ServerHello hello;
  hello.legacy_version = legacy_version;
  hello.random = random;
  hello.cipher_suite = suite;
  hello.legacy_compression_method = compression;
  if (extensions) {
    block = block_of(*extensions);
    hello.extensions = block;
  }
  // By hand where the declaration would refuse what a test wants: session ids of any length.
  ByteVector out;
  tlsconnect::Writer writer(out);
  writer.number(hello.legacy_version);
  writer.fixed(hello.random);
  writer.opaque8(session_id, 0, 0xFF);
  writer.number(hello.cipher_suite);
  writer.number(hello.legacy_compression_method);
  writer.optional16(hello.extensions);
  value_of(writer.finish("ServerHello"));
  return out;
}

HelloDraft HelloDraft::of(BytesView body) {
  const auto hello = value_of(tlsconnect::decode<tlsconnect::ServerHello>(body));
  HelloDraft draft;
  draft.legacy_version = hello.legacy_version;
  draft.random = hello.random;
  draft.session_id = tlsconnect::to_vector(hello.legacy_session_id_echo);
  draft.suite = hello.cipher_suite;
  draft.compression = hello.legacy_compression_method;
  if (hello.extensions)
    draft.extensions = split_block(*hello.extensions);
  return draft;
}

ByteVector CertificateDraft::body() const {
  ByteVector out;
  tlsconnect::Writer writer(out);
  writer.opaque8(context, 0, 0xFF);
  writer.prefixed(3, [&] {
    for (const Entry& entry : entries) {
      writer.opaque24(entry.der, 0, 0xFF'FFFF);
      writer.opaque16(block_of(entry.extensions), 0, 0xFFFF);
    }
  });
  value_of(writer.finish("Certificate"));
  return out;
}

CertificateDraft CertificateDraft::of(BytesView body) {
  const auto message = value_of(tlsconnect::decode<tlsconnect::CertificateMessage>(body));
  CertificateDraft draft;
  draft.context = tlsconnect::to_vector(message.certificate_request_context);
  for (const tlsconnect::CertificateEntry& entry : message.certificate_list)
    draft.entries.push_back({tlsconnect::to_vector(entry.cert_data), split_block(entry.extensions)});
  return draft;
}

void edit_extensions(HandshakeType type, ByteVector& bytes, const std::function<void(ExtensionList&)>& change) {
  if (type == HandshakeType::server_hello) {
    HelloDraft draft = HelloDraft::of(bytes);
    ExtensionList extensions = draft.extensions.value_or(ExtensionList());
    change(extensions);
    draft.extensions = std::move(extensions);
    bytes = draft.body();
  } else if (type == HandshakeType::certificate) {
    CertificateDraft draft = CertificateDraft::of(bytes);
    change(draft.entries.at(0).extensions);
    bytes = draft.body();
  } else {
    // EncryptedExtensions, CertificateRequest and NewSessionTicket end with their block.
    const std::size_t fixed = type == HandshakeType::encrypted_extensions  ? 0
                              : type == HandshakeType::certificate_request ? 1 + std::size_t{bytes.at(0)}
                                                                           : 0;
    std::size_t start = fixed;
    if (type == HandshakeType::new_session_ticket) {
      const auto ticket = value_of(tlsconnect::decode<tlsconnect::NewSessionTicket>(bytes));
      start = bytes.size() - ticket.extensions.size() - 2;
    }
    ExtensionList extensions = split_block(BytesView(bytes).subspan(start + 2));
    change(extensions);
    bytes.resize(start);
    tlsconnect::Writer writer(bytes);
    writer.opaque16(block_of(extensions), 0, 0xFFFF);
    value_of(writer.finish("extensions"));
  }
}

} // namespace test
