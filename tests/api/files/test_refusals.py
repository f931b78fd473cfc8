import re

import numpy as np
import pytest
import scipy.sparse

from api.files.errors import EXPECTED
from api.files.suffixes import SUFFIXES
from tests.api.files.samples import MAX_SAMPLES, SIGNAL, mat, npy, packed, refusal, wav, wav_of_code
from tests.api.files.test_formats import CLUTTER, CWRU, TWO_RECORDS

REFUSALS = [
    (b"", "a.csv", "", "the file is empty"),
    (b" \n\n", "a.csv", "", "the file is empty"),
    (b"PK\x03\x04...", "a.xlsx", "", "a ZIP archive or an Excel workbook"),
    (b"%PDF-1.7", "a.csv", "", "a PDF document; expected .mat, .csv"),
    (b"MATLAB 7.3".ljust(512) + b"\x89HDF\r\n\x1a\n", "a.mat", "", "damaged or incomplete"),
    (b"1\n\x002\n", "a.bin", "", "neither text nor of a format known"),
    (b"hello", "a.mat", "", "does not start as a MATLAB file does"),
    (packed(packed(b"1\n2\n")), "a.gz", "", "packed with gzip twice"),
    (packed(b"1\n2\n") * 2, "a.gz", "", "goes on after the end"),
    (mat(CLUTTER), "a.mat", "", "cell (cell 1 x 3), text (char 1), sparse (sparse 3 x 3)"),
    (mat({"s": scipy.sparse.eye(3).tocsc(), "t": "ab"}, format="4"), "a.mat", "", "s (sparse 3 x 3), t (char 1)"),
    (mat({"x": np.ones((65, 65))}), "a.mat", "", "x (double 65 x 65): expected a vector"),
    (mat(TWO_RECORDS), "a.mat", "", "has 2 channels, name one of them: X098_DE_time, X099_DE_time"),
    (mat(CWRU), "a.mat", "X1", "no channel X1; it has drive_end, fan_end, base"),
    (npy(np.array([1, 2j])), "a.npy", "", "holds complex128, expected real numbers"),
    (npy(np.array([True, False])), "a.npy", "", "holds bool"),
    (npy(np.array([(1, 2)], dtype="i4,f4")), "a.npy", "", "expected real numbers"),
    (npy(SIGNAL)[:-1], "a.npy", "", "announces 32 bytes of samples and holds 31"),
    (npy(np.ones((70, 70))), "a.npy", "", "array of shape (70, 70)"),
    (npy(np.float64(1)), "a.npy", "", "1 sample, expected a recording"),
    (npy(np.array([1, np.nan, np.inf])), "a.npy", "", "holds 2 values that cannot be used, NaN or"),
    (npy(np.zeros(MAX_SAMPLES + 1, np.int8)), "a.npy", "", "has 2,000,001 samples, expected at most 2,000,000"),
    (wav(np.zeros(MAX_SAMPLES + 1, np.uint8)), "a.wav", "", "2,000,001 samples (167 seconds)"),
    (wav(np.zeros(8, np.int16))[:-2], "a.wav", "", "announces 16 bytes of samples and holds 14"),
    (b"# fs: 1000\n" + b"1\n" * (MAX_SAMPLES + 1), "a.csv", "", "(2,000 seconds), expected at most 2,000,000: cut it"),
    (b"g\n1\n2\nabc\n", "a.csv", "", "line 4 has 'abc', expected a number"),
    (b"1\n" * 100 + b"x" * 50, "a.csv", "", f"line 101 has '{'x' * 40}...', expected a number"),
    (b"a,b\n1,7\n2,8\n3,8,9\n", "a.csv", "a", "line 4 has 3 columns, those before it have 2"),
    (b"a,b\n1,7\n2,8\n3\n", "a.csv", "a", "line 4 has 1 column, those before it have 2"),
    (b"9,7\n" * 100 + b"9\n", "a.csv", "0", "line 101 has '9', expected 2 columns of numbers"),
    (b"9\n,\n", "a.csv", "", "line 2"),
    (b"a,b\n1,7\n1,8\n", "a.csv", "", "the file has 2 channels, name one of them: a, b"),
    (b"text\n" * 60, "a.csv", "", "the file starts with 'text', and 51 lines on there are no rows of numbers yet"),
    (b"1\nnan\n3\n", "a.csv", "", "holds 1 value that cannot be used, NaN or infinity, the first at sample 1"),
    (b"1\n", "a.csv", "", "the file holds 1 sample, expected a recording"),
    (b"1," * 100, "a.csv", "", "line 1 has 100 columns, expected at most 64"),
    (b"a;b\n226;1.5\n-237;1.5\n1,152;1.5\n", "a.csv", "a", "line 4 has '1,152;1.5': the numbers hold both ',' and '.'"),
    (b"a;b\n1.152,5;1\n1;1\n", "a.csv", "a", "line 2 has '1.152,5;1': the numbers hold both ',' and '.'"),
    (b'a,b\n"1,152","0.5"\n"1,153","0.7"\n', "a.csv", "a", "save them without thousands separators"),
    (b'a\n"1,152.5"\n"1,153.5"\n', "a.csv", "", "the numbers hold both ',' and '.'"),
    (b"0,000083,0,125\n0,000167,0,25\n", "a.csv", "1", "line 1 has '0,000083,0,125': commas stand both between"),
    (b"Spannung [V]\n1,6604\n1,633\n1,68\n", "a.csv", "", "line 2 has '1,6604': that may be one number or two"),
    (b"Date,Time,g\n2024-05-01,00:00:00.000083,1\n", "a.csv", "", "line 2 holds the clock time '00:00:00.000083':"),
    (b"t;g\n2024-05-01T00:00:00;1,5\n", "a.csv", "", "line 2 holds the clock time '2024-05-01T00:00:00': leave that"),
    (b"g;h\n0,5;1\n1,5;x,y\n2;3\n", "a.csv", "h", "line 3 has 'x,y', expected 2 columns of numbers"),
    (wav_of_code(2), "a.wav", "", "the WAV file is compressed (ADPCM): expected PCM"),
    (wav_of_code(0xFFFE), "a.wav", "", "compressed (mu-law)"),
    (wav_of_code(0x1234, b"RIFX", ">"), "a.wav", "", "compressed (code 4660)"),
]  # fmt: skip


def test_every_suffix_is_among_the_formats_that_a_message_names():
    assert [*re.findall(r"\.\w+", EXPECTED), ".gz"] == list(SUFFIXES)


def test_no_message_holds_the_files_name():
    name = "unmistakable.mat"
    assert not [error for content, *_ in REFUSALS if name in (error := str(refusal(content, name, "x")))]


@pytest.mark.parametrize(("content", "name", "channel", "message"), REFUSALS)
def test_what_cannot_be_read_is_refused_in_words(content, name, channel, message):
    error = refusal(content, name, channel)
    assert message in str(error)
    assert error.field == ("channel" if re.search("name one of them|no channel", message) else "file")


def test_a_list_of_many_channels_is_cut():
    error = refusal(mat({f"x{index:03}_{'y' * 20}": SIGNAL for index in range(300)}), "a.mat", "z" * 1000)
    assert "and 280 more" in str(error)
