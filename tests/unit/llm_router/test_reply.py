from llm_router.reply import Usage, estimate_usage


def test_usage_adds_bucket_by_bucket() -> None:
    total = Usage(1, 2, 3, 4, 5) + Usage(10, 20, 30, 40, 50, estimated=True)
    assert total == Usage(11, 22, 33, 44, 55, estimated=True)
    assert total.total_tokens == 165


def test_an_estimate_is_marked_and_rounds_up() -> None:
    assert estimate_usage("abcde", "") == Usage(2, 0, estimated=True)
