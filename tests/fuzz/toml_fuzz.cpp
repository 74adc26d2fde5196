// SPDX-License-Identifier: BSD-2-Clause
//
// Any bytes as a system file: the loader reports mistakes or gives a description, and what it gives can be judged,
// described and encoded.
#include <apps/sel4vm/describe.hpp>
#include <apps/sel4vm/system_file.hpp>

#include <array>
#include <cstdlib>
#include <sel4vm/machine/manifest.hpp>
#include <sel4vm/machine/validate.hpp>
#include <vector>

using namespace sel4vm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    cli::Mistakes mistakes;
    const auto system = cli::parse_system({reinterpret_cast<const char *>(data), size}, "fuzz.toml", mistakes);
    for (auto &vm : system->description.vms)
        for (auto &image : vm.images)
            image.size_bytes = 4096;
    cli::validate_description(*system, mistakes);
    for (const std::string &text : mistakes.texts())
        if (text.find('\n') != std::string::npos || text.find('\x1b') != std::string::npos)
            std::abort(); // each is one harmless line
    if (cli::describe(system->description).empty())
        std::abort();
    std::vector<u8> buffer(machine::kManifestBufferBytes);
    if (mistakes.empty() && size < 1024 && !machine::encode_manifest(system->description, buffer))
        std::abort(); // a good description can always be written
    return 0;
}
