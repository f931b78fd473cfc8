"""`python -m tests.tools.docs`: write the generated blocks and the numbers of README and docs anew."""

from tests.tools.docs import blocks, figures, pages


def main() -> None:
    made = blocks.make()
    for page in pages.pages():
        before = pages.read(page)
        after = pages.fill(before, made)
        for figure in figures.of(page):
            after = pages.put_in(after, figure)
        if after != before:
            (pages.ROOT / page).write_text(after)
            print(f"{page} is written anew")


if __name__ == "__main__":
    main()
