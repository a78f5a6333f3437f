from infra.demo.customer_stage import Page


def test_a_page_says_what_a_reader_sees() -> None:
    html = "<title>Order</title><style>p { color: red }</style><h1>Order\n #13</h1><p>It is <b>confirmed</b>.</p>"
    page = Page(200, html)
    assert page.words == "Order #13 It is confirmed ."
    assert page.html == html
