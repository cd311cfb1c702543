"""Plugins and scripts that others can change are refused before any of their code runs."""

import grp
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import unittest

from support import HostileTest

NOBODY = pwd.getpwnam("nobody")
SCRIPT = """import pathlib, qsohost
pathlib.Path("{proof}").write_text("it ran")

@qsohost.filter
def mine(light_curve):
    return light_curve.mag > 0
"""
is_root = unittest.skipUnless(os.geteuid() == 0, "only root can give files to others")


class PluginsTest(HostileTest):
    def setUp(self):
        super().setUp()
        self.plugins = self.folder / "plugins"
        self.plugins.mkdir(mode=0o755)
        os.chmod(self.plugins, 0o755)
        good = pathlib.Path(os.environ["QSOHOST"]).parents[1] / "lib/qsohost/plugins/require.so"
        self.plugin = pathlib.Path(shutil.copy(good, self.plugins / "require.so"))
        os.chmod(self.plugin, 0o755)

    def listed(self, *args, plugin=None):
        return self.qsohost("list", "--plugin", plugin or self.plugin, *args).stdout

    def assert_refused(self, *words, plugin=None):
        plugin = plugin or self.plugin
        refused = self.listed(plugin=plugin).split("\nRefused\n")
        self.assertEqual(len(refused), 2, refused)
        for word in (*words, "--allow-insecure-plugins"):
            self.assertIn(word, refused[1])
        self.assertNotIn("allow-insecure", self.listed("--allow-insecure-plugins", plugin=plugin))

    def test_one_that_only_its_user_can_change_is_loaded(self):
        self.assertNotIn("Refused", self.listed())

    def test_no_library_is_taken_from_the_working_folder(self):
        program = pathlib.Path(os.environ["QSOHOST"])
        needed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        for name in re.findall(r"^\s*(lib\S+)", needed, re.MULTILINE):
            self.write(name, "no library")
        self.qsohost("list")
        prefix = program.parents[1]
        for file in (program, *prefix.glob("lib/**/*.so*"), *prefix.glob("python/**/*.so")):
            with self.subTest(file=file):
                dynamic = subprocess.run(["readelf", "-d", file], capture_output=True, text=True).stdout
                for path in re.findall(r"(?:RPATH|RUNPATH)\).*\[(.*)\]", dynamic):
                    for folder in path.split(":"):
                        self.assertRegex(folder, r"^(/|\$ORIGIN(/|$))")

    def test_a_writable_file(self):
        os.chmod(self.plugin, 0o757)
        self.assert_refused("others may write to the file", "chmod o-w")

    def test_a_writable_folder(self):
        for mode in (0o777, 0o1777):  # the second is that of /tmp
            os.chmod(self.plugins, mode)
            self.assert_refused("others may write to the folder", str(self.plugins))

    def test_the_folders_of_a_link_and_of_its_target(self):
        open_folder = self.folder / "open"
        open_folder.mkdir()
        os.chmod(open_folder, 0o777)
        link = open_folder / "link.so"
        link.symlink_to(self.plugin)
        self.assert_refused("others may write to the folder", str(open_folder), plugin=link)
        (self.plugins / "moved.so").symlink_to(shutil.copy(self.plugin, open_folder / "target.so"))
        self.assert_refused("others may write to the folder", plugin=self.plugins / "moved.so")

    @is_root
    def test_a_file_of_another_user_and_of_a_group(self):
        os.chown(self.plugin, NOBODY.pw_uid, -1)
        self.assert_refused("belongs to nobody", "copy it to a folder of your own")
        os.chown(self.plugin, 0, NOBODY.pw_gid)
        os.chmod(self.plugin, 0o775)
        self.assert_refused(f"the group {grp.getgrgid(NOBODY.pw_gid).gr_name} may write", "chmod g-w")

    @is_root
    def test_a_folder_of_another_user(self):
        os.chown(self.plugins, NOBODY.pw_uid, -1)
        self.assert_refused(f"the folder {self.plugins} belongs to nobody")

    def test_a_group_of_the_users_own(self):
        user = pwd.getpwuid(os.geteuid())
        if grp.getgrgid(user.pw_gid).gr_name != user.pw_name:
            self.skipTest("the user's group has another name")
        for path in (self.plugin, self.plugins):
            os.chown(path, -1, user.pw_gid)
            os.chmod(path, 0o775)
        self.assertNotIn("Refused", self.listed())

    def test_folders_of_the_search_path(self):
        os.chmod(self.plugins, 0o777)
        env = {"QSOHOST_PLUGIN_PATH": str(self.plugins)}
        self.assertIn("others may write to the folder", self.qsohost("list", env=env).stdout)

    def test_a_script_is_not_run(self):
        proof = self.folder / "proof"
        script = self.plugins / "mine.py"
        script.write_text(SCRIPT.format(proof=proof))
        os.chmod(script, 0o666)
        self.chain(["1"])
        text = (self.folder / "chain.toml").read_text()
        self.write("chain.toml", text.replace("[chain]\n", f'[chain]\nplugins = ["{script}"]\n'))
        warning = self.run_chain("--check").stderr
        self.assertIn("others may write to the file", warning)
        self.assertFalse(proof.exists())
        self.run_chain("--check", "--allow-insecure-plugins")
        self.assertTrue(proof.exists())

    def test_a_chain_cannot_allow_it(self):
        self.chain(["1"])
        text = (self.folder / "chain.toml").read_text()
        self.write("chain.toml", text.replace("[chain]\n", "[chain]\nallow_insecure_plugins = true\n"))
        self.assertIn("allow_insecure_plugins", self.run_chain("--check", expect=2).stderr)


if __name__ == "__main__":
    unittest.main()
