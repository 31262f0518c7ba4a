"""python3 -m unittest discover -s ci/packages -p '*_test.py'"""

import unittest

import man_page
import program_help
import values
from program_help import Flag, HelpError

HELP = """A program.

  a --flag=in the example

The machine
  --memory=SIZE               guest RAM; at least 64M [1G]
  --wait[=TIME]               waits
                              so long
  --mode=HOW                  this or that [this]
                              that takes longer
  --a-very-long-name-of-one-flag=FILE
                              what it does

The run
  --help                      this text
"""

COMMANDS = """vmcore: reads dumps.

usage: vmcore COMMAND FILE... [--json]

  info     FILE         what it is
  vmcs     FILE [A B]   field by field

More words.
"""

COMMAND = """usage: vmcore vmcs FILE [A B] [OPTIONS]

field by field

Some words.

Some more.

  --diff               the fields
  --json               the result
"""


class ProgramHelpTest(unittest.TestCase):
    def test_flags_are_read_with_their_values_and_whole_texts(self):
        groups = program_help.parse_vmm(HELP)
        self.assertEqual([group.title for group in groups], ["The machine", "The run"])
        self.assertEqual(
            groups[0].flags,
            [
                Flag("memory", "SIZE", False, "guest RAM; at least 64M [1G]"),
                Flag("wait", "TIME", True, "waits so long"),
                Flag("mode", "HOW", False, "this or that [this]; that takes longer"),
                Flag("a-very-long-name-of-one-flag", "FILE", False, "what it does"),
            ],
        )
        self.assertEqual(groups[0].flags[0].summary, "guest RAM")
        self.assertEqual(groups[0].flags[1].spelled, "--wait[=TIME]")

    def test_a_line_that_is_no_flag_is_an_error(self):
        for wrong in ("  -x   short", "  --Memory=SIZE  big", "out of place"):
            with self.subTest(wrong), self.assertRaises(HelpError):
                program_help.parse_vmm(HELP + wrong + "\n")

    def test_a_flag_outside_the_groups_is_an_error(self):
        with self.assertRaisesRegex(HelpError, "lost"):
            program_help.parse_vmm(HELP.replace("A program.\n", "A program.\nIt has\n  --lost   one\n"))

    def test_commands_are_read_by_their_columns(self):
        commands = program_help.parse_commands(COMMANDS)
        self.assertEqual([(c.name, c.operands, c.summary) for c in commands],
                         [("info", "FILE", "what it is"), ("vmcs", "FILE [A B]", "field by field")])  # fmt: skip
        with self.assertRaises(HelpError):
            program_help.parse_commands(COMMANDS.replace("info     FILE", "info FILE"))

    def test_a_command_has_all_its_paragraphs_and_flags(self):
        command = program_help.parse_command(program_help.parse_commands(COMMANDS)[1], COMMAND)
        self.assertEqual(command.details, "Some words.\n\nSome more.")
        self.assertEqual([flag.name for flag in command.flags], ["diff", "json"])


class ValuesTest(unittest.TestCase):
    def test_a_flag_with_a_choice_needs_words(self):
        with self.assertRaisesRegex(ValueError, "no words"):
            values.check([Flag("colour", "HOW", False, "red or green")])

    def test_a_word_must_stand_in_the_help(self):
        values.check([Flag("on-panic", "WHAT", False, "dump, exit or pause")])
        with self.assertRaisesRegex(ValueError, "pause"):
            values.check([Flag("on-panic", "WHAT", False, "dump, exit or pauses")])


class ManPageTest(unittest.TestCase):
    def test_roff_prints_text_as_it_is(self):
        self.assertEqual(man_page.roff("a\\b -d 'x'"), "a\\eb \\-d \\(aqx\\(aq")
        self.assertEqual(man_page.roff(".so /etc/passwd"), "\\&.so /etc/passwd")

    def test_a_table_keeps_its_lines(self):
        self.assertEqual(man_page.prose("Each says:\n  a  one\n  b  two\nThat is all."),
                         "Each says:\n.nf\n  a  one\n  b  two\n.fi\nThat is all.\n")  # fmt: skip
