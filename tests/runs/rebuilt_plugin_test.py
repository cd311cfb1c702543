"""A plugin that was built anew is another one, though its version is the same."""

import shutil
import unittest

from support import RunTest


class RebuiltPlugin(RunTest):
    def rebuild(self):
        """Other bytes that load and do the same: behind the end of the sections nobody reads."""
        plugin = self.program.parents[1] / "lib/qsohost/plugins/require.so"
        self.addCleanup(shutil.copy, shutil.copy(plugin, self.folder / "before.so"), plugin)
        other = self.folder / "other.so"
        other.write_bytes(plugin.read_bytes() + b"built anew\n")
        other.chmod(0o755)
        other.replace(plugin)

    def test_a_resumed_run_warns_of_a_rebuilt_plugin(self):
        calls = self.storage_calls(run_dir="b.run")
        self.run_chain(run_dir="half.run", storage=f"kill {calls * 2 // 3}", expect=-9)
        self.rebuild()
        done = self.run_chain("--resume", run_dir="half.run", expect=None)
        self.assertIn("require", done.stderr)


if __name__ == "__main__":
    unittest.main()
