"""What buyers read, in mails and on pages, in English and Simplified Chinese. Pure."""

from collections.abc import Mapping
from typing import Final

from shared.sync.tell_buyer import Language

Words = Mapping[str, str]

TAG: Final[Mapping[Language, str]] = {"en": "en", "zh": "zh-Hans"}
"""The language as HTML writes it."""
OTHER: Final[Mapping[Language, Language]] = {"en": "zh", "zh": "en"}

_EN: Final[Words] = {
    "colon": ": ",
    "language": "English",
    "languages": "Language",
    # mails
    "confirmed.subject": "Order {order} is confirmed",
    "confirmed.heading": "Thank you. Your order is confirmed.",
    "confirmed.text": "We have checked order {order} and are getting it ready.",
    "held_for_verification.subject": "Order {order} waits for you",
    "held_for_verification.heading": "Please confirm your e-mail address",
    "held_for_verification.text": (
        "We have received order {order}. Before we send it, we need to know that this address is yours. "
        "A second e-mail holds the link for that; please look for it, in your spam folder too."
    ),
    "shipped.subject": "Order {order}: goods are on their way",
    "shipped.heading": "Your goods are on their way",
    "shipped.text": "This has left our warehouse for order {order}.",
    "delivered.subject": "Order {order} was delivered",
    "delivered.heading": "Your order was delivered",
    "delivered.text": "All of order {order} has been delivered. If something is missing, please answer this e-mail.",
    "refunded.subject": "Order {order}: we have sent money back",
    "refunded.heading": "We have sent money back to you",
    "refunded.text": "For order {order} this amount is on its way to you. A bank may need a few days to show it.",
    "verify.subject": "Please confirm your e-mail address",
    "verify.heading": "Is this your e-mail address?",
    "verify.text": "Somebody used this address at {shop}. If it was you, please say so on the page behind this link.",
    "verify.otherwise": "If it was not you, say that there, or do nothing: the link stops working after {hours} hours.",
    "verify.button": "Answer",
    "button": "Follow your order",
    "goods": "Goods",
    "parcels": "Parcels",
    "parcel": "Parcel",
    "amount": "Amount",
    "follow": "Follow this parcel",
    "footer": "{shop} sends you this because of your order. The link is for you alone: whoever has it sees how far the "
    "order is.",
    "verify.footer": "{shop} sends you this once for each request. We never ask for a password or for money this way.",
    # pages
    "title": "Order {order}",
    "way": "The way of your order",
    "done": "done",
    "now": "now",
    "to_come": "still to come",
    "no_number": "No tracking number is known for this parcel.",
    "page.note": "This page shows how far your order is, and nothing else. Its link is for you alone.",
    "stage.received": "We have received your order.",
    "stage.checking": "We have received your order, and are checking it.",
    "stage.confirmed": "Your order is confirmed.",
    "stage.partly_shipped": "A part of your order is on its way.",
    "stage.shipped": "Your order is on its way.",
    "stage.delivered": "Your order was delivered.",
    "stage.cancelled": "Your order was cancelled.",
    "stage.returned": "Your order came back to us.",
    "step.received": "Received",
    "step.checking": "Received, being checked",
    "step.confirmed": "Confirmed",
    "step.partly_shipped": "Partly shipped",
    "step.shipped": "Shipped",
    "step.delivered": "Delivered",
    "step.cancelled": "Cancelled",
    "step.returned": "Returned",
    "ask.title": "Is this your e-mail address?",
    "ask.text": "Somebody used the address that this link was sent to. Please tell us whether it was you.",
    "ask.confirm": "Yes, it was me",
    "ask.decline": "No, it was not me",
    "ask.note": "We ask for nothing else here: no password, no payment.",
    "confirmed.title": "Thank you",
    "confirmed.page": "Your e-mail address is confirmed. You may close this page.",
    "declined.title": "Thank you for telling us",
    "declined.page": "We have noted that it was not you. The address does not count as confirmed.",
    "used.title": "This link was used already",
    "used.page": "An answer was given with this link, and it holds only once. There is nothing more to do.",
    "expired.title": "This link has expired",
    "expired.page": "Links stop working after a while. If you still need one, please ask the shop.",
    "unknown.title": "There is nothing here",
    "unknown.page": "This link is not valid, or not any more. Please open it again from the newest e-mail, and check "
    "that all of it was copied.",
    "unclear.title": "Please choose an answer",
    "unclear.page": "We could not read your answer. Please go back and press one of the two buttons.",
    "later.title": "Please try again soon",
    "later.page": "We cannot answer right now. Nothing is lost: please open the link again in a few minutes.",
}
_ZH: Final[Words] = {
    "colon": "：",
    "language": "中文",
    "languages": "语言",
    "confirmed.subject": "订单 {order} 已确认",
    "confirmed.heading": "感谢您的订购，订单已确认",
    "confirmed.text": "订单 {order} 已通过审核，我们正在备货。",
    "held_for_verification.subject": "订单 {order} 等待您确认邮箱",
    "held_for_verification.heading": "请确认您的电子邮箱",
    "held_for_verification.text": (
        "我们已收到订单 {order}。发货前，我们需要确认此邮箱属于您。确认链接在另一封邮件中，请查收，也请留意垃圾邮件箱。"
    ),
    "shipped.subject": "订单 {order} 已发货",
    "shipped.heading": "您的商品已发出",
    "shipped.text": "订单 {order} 的以下商品已从仓库发出。",
    "delivered.subject": "订单 {order} 已送达",
    "delivered.heading": "您的订单已送达",
    "delivered.text": "订单 {order} 的全部商品已送达。如有缺少，请直接回复此邮件。",
    "refunded.subject": "订单 {order} 已退款",
    "refunded.heading": "我们已向您退款",
    "refunded.text": "订单 {order} 的以下款项已退还给您，银行到账可能需要数日。",
    "verify.subject": "请确认您的电子邮箱",
    "verify.heading": "这是您的电子邮箱吗？",
    "verify.text": "有人在 {shop} 使用了此邮箱。如果是您本人，请打开下方链接确认。",
    "verify.otherwise": "如果不是您本人，请在该页面告诉我们，或不予理会：链接将在 {hours} 小时后失效。",
    "verify.button": "去确认",
    "button": "查看订单进度",
    "goods": "商品",
    "parcels": "包裹",
    "parcel": "包裹",
    "amount": "金额",
    "follow": "查询此包裹",
    "footer": "您收到此邮件，是因为您在 {shop} 有一笔订单。链接仅供您本人使用：任何持有链接的人都能看到订单进度。",
    "verify.footer": "{shop} 仅就每次请求发送一封此类邮件。我们绝不会以此方式索要密码或钱款。",
    "title": "订单 {order}",
    "way": "订单进度",
    "done": "已完成",
    "now": "当前",
    "to_come": "尚未开始",
    "no_number": "此包裹暂无运单号。",
    "page.note": "本页仅显示订单进度，不含其他信息。链接仅供您本人使用。",
    "stage.received": "我们已收到您的订单。",
    "stage.checking": "我们已收到您的订单，正在审核。",
    "stage.confirmed": "您的订单已确认。",
    "stage.partly_shipped": "您的部分商品已发出。",
    "stage.shipped": "您的商品已全部发出。",
    "stage.delivered": "您的订单已送达。",
    "stage.cancelled": "您的订单已取消。",
    "stage.returned": "您的订单已退回。",
    "step.received": "已收到",
    "step.checking": "已收到，审核中",
    "step.confirmed": "已确认",
    "step.partly_shipped": "部分发货",
    "step.shipped": "已发货",
    "step.delivered": "已送达",
    "step.cancelled": "已取消",
    "step.returned": "已退回",
    "ask.title": "这是您的电子邮箱吗？",
    "ask.text": "有人使用了接收此链接的邮箱。请告诉我们是否为您本人操作。",
    "ask.confirm": "是我本人",
    "ask.decline": "不是我",
    "ask.note": "此处不需要任何其他信息：不需要密码，也不需要付款。",
    "confirmed.title": "谢谢您",
    "confirmed.page": "您的电子邮箱已确认，可以关闭此页面。",
    "declined.title": "感谢您告知",
    "declined.page": "我们已记录并非您本人操作，此邮箱不会被视为已确认。",
    "used.title": "此链接已使用",
    "used.page": "此链接已用于答复，且仅可使用一次。您无需再做任何操作。",
    "expired.title": "此链接已过期",
    "expired.page": "链接在一段时间后会失效。如仍需要，请联系店铺。",
    "unknown.title": "此处没有内容",
    "unknown.page": "此链接无效或已失效。请从最新的邮件中重新打开，并确认链接已完整复制。",
    "unclear.title": "请选择一个答复",
    "unclear.page": "我们未能读取您的答复。请返回并点击其中一个按钮。",
    "later.title": "请稍后再试",
    "later.page": "我们暂时无法答复。您的信息不会丢失，请几分钟后再次打开链接。",
}
WORDS: Final[Mapping[Language, Words]] = {"en": _EN, "zh": _ZH}


def say(language: Language, name: str, **values: str) -> str:
    """The words by their name, with the values filled in as one line each, whatever they hold.

    Not `str.format`: an order's name may hold braces, and must not be read as a field.
    """
    text = WORDS[language][name]
    for position, field in enumerate(values):
        text = text.replace(f"{{{field}}}", f"\0{position}\0")
    for position, value in enumerate(values.values()):
        text = text.replace(f"\0{position}\0", one_line(value))
    return text


def one_line(text: str, *, most: int = 120) -> str:
    """Text of somebody else's as one line of printable characters: nothing in it ends a header or turns the writing."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(printable.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
