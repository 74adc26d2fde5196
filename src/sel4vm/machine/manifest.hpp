// SPDX-License-Identifier: BSD-2-Clause
//
// SystemDescription <-> the bundle's manifest, a flattened device tree that docs/bundle-format.md specifies. Encoding
// writes every field; decoding checks every property's presence, size and range of values, but not whether the system
// makes sense: validate() does that. Uses libfdt, so on the target only before the first guest runs.
#pragma once

#include <sel4vm/base/result.hpp>
#include <sel4vm/machine/description.hpp>

#include <span>
#include <string_view>

namespace sel4vm::machine {

inline constexpr u32 kManifestVersion = 1;
/// A buffer of this size holds any manifest without images' sources and command lines longer than 256 bytes each.
inline constexpr usize kManifestBufferBytes = 128 * 1024;

enum class ManifestErrorKind : u8 {
    not_a_tree,       ///< not a well-formed flattened device tree
    bad_version,      ///< another kManifestVersion
    missing_property, ///< `what` names it
    bad_property,     ///< wrong size, or a value that does not exist; `what` names it
    unknown_node,     ///< a node that this version does not know
    too_many,         ///< nodes of the kind that `what` names
    buffer_too_small, ///< encoding
};

struct ManifestError {
    ManifestErrorKind kind;
    std::string_view what; ///< a literal
};
[[nodiscard]] std::string_view to_string(ManifestErrorKind kind);

/// The manifest, inside `buffer`.
[[nodiscard]] Result<std::span<const u8>, ManifestError> encode_manifest(const SystemDescription &system,
                                                                         std::span<u8> buffer);

/// Fills `system`, whose devices are of `kinds` (without any: of dev::kUnmadeKind), and which is too large to be handed back by value on the target's stack. Strings refer into `manifest`,
/// which must be 8-byte aligned. After an error `system` holds what was read so far.
[[nodiscard]] Status<ManifestError> decode_manifest(std::span<const u8> manifest, dev::DeviceKinds kinds,
                                                    SystemDescription &system);

} // namespace sel4vm::machine
