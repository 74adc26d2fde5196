// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/failure.hpp>
#include <apps/sel4vm/packing.hpp>

#include <fmt/format.h>
#include <sel4vm/boot/bundle.hpp>
#include <sel4vm/machine/manifest.hpp>

namespace sel4vm::cli {
namespace {

class BytesSink final : public boot::BundleSink {
public:
    explicit BytesSink(Bytes &out) : out_(out) {}
    bool put(std::span<const u8> bytes) override {
        out_.insert(out_.end(), bytes.begin(), bytes.end());
        return true;
    }

private:
    Bytes &out_;
};

Bytes encode(const machine::SystemDescription &description) {
    // The buffer that the library suggests is for usual systems; long paths and command lines may need more.
    for (usize size = machine::kManifestBufferBytes; size <= 64 * kMiB; size *= 4) {
        Bytes buffer(size);
        const auto manifest = machine::encode_manifest(description, buffer);
        if (manifest)
            return {manifest->begin(), manifest->end()};
        if (manifest.error().kind != machine::ManifestErrorKind::buffer_too_small)
            throw Failure(ExitStatus::bad_input,
                          fmt::format("the system cannot be written to an image: {} ({})",
                                      machine::to_string(manifest.error().kind), manifest.error().what));
    }
    throw Failure(ExitStatus::bad_input, "the system's description is too large for an image");
}

} // namespace

Bytes make_bundle(const System &system, const LoadedImages &images, const std::optional<Bytes> &notices) {
    const Bytes manifest = encode(system.description);
    std::vector<std::span<const u8>> blobs(images.blobs.begin(), images.blobs.end());
    if (notices)
        blobs.emplace_back(*notices);
    Bytes out;
    if (const auto size = boot::bundle_size(manifest, blobs))
        out.reserve(static_cast<usize>(*size));
    BytesSink sink(out);
    if (const auto written = boot::write_bundle(sink, manifest, blobs); !written)
        throw Failure(ExitStatus::bad_input,
                      fmt::format("the images cannot be bundled: {}", boot::to_string(written.error().kind)));
    return out;
}

} // namespace sel4vm::cli
