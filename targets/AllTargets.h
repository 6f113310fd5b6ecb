// All targets that this build has. Called by tools at start.
#pragma once

namespace mlc {
void registerAllTargets();
} // namespace mlc
