"""The texts of the story: names of tests, what failing ones said, and the nights as rows of letters."""

from __future__ import annotations

CART = (
    "Cart keeps its items after login",
    "Pay by card with 3-D Secure",
    "Voucher is taken off before tax",
    "Free shipping from 50 €",
    "Cart total with two currencies",
    "Add one item",
    "Add the same item twice",
    "Change a quantity",
    "Remove an item",
    "Empty the cart",
    "Undo a removal",
    "Cart badge counts items",
    "Sold-out item is marked",
    "Price change is announced",
    "Guest cart becomes the customer's",
    "Save for later",
    "Gift wrap",
    "Delivery date is offered",
    "Pick up in store",
    "Second address",
    "Invoice to a company",
    "Pay by invoice",
    "Pay by bank transfer",
    "Pay with points",
    "Pay by wallet on a phone",
    "Checkout by keyboard only",
    "Checkout with a screen reader",
    "Cart on a slow network",
    "Cart in a private window",
    "Back button after paying",
    "Order confirmation by mail",
)

PHONE = (
    "Start the app",
    "Log in",
    "Search an item",
    "Scan a barcode",
    "Pay with the phone's wallet",
    "Push message on dispatch",
    "Work offline",
    "Dark mode",
)

INVOICES = (
    "Invoice has a number",
    "Invoice with two tax rates",
    "Credit note",
    "Reminder after 14 days",
    "Export to the books",
)

CHECKS = (
    "Open the start page",
    "Log in",
    "Log out",
    "Search",
    "Filter by size",
    "Sort by price",
    "Open an item",
    "Zoom",
    "Write a review",
    "Add to cart",
    "Checkout as guest",
    "Checkout as customer",
    "Pay by card",
    "Pay by invoice",
    "Track an order",
    "Return an item",
    "Change the password",
    "Change the address",
    "Newsletter",
    "Imprint",
    "Chat",
    "Language",
    "Cookies",
    "Wish list",
    "Print a page",
)

PLACES = (
    "Chrome Win",
    "Chrome Mac",
    "Edge Win",
    "Firefox Win",
    "Firefox Linux",
    "Safari Mac",
    "Safari iPhone",
    "Safari iPad",
    "Chrome Android",
    "Samsung Internet",
)

#: Thirteen nights of each API test, oldest first, by the first letters of statuses (A is N/A, N is no run);
#: `r` failed and passed on retry.
NIGHTS = {
    "GET /cart": "PPPPPPPPPPPPP",
    "POST /cart/items": "PPPPPPPPPPPPF",
    "PATCH /cart/items/{id}": "PPPPPPPPPPPPF",
    "DELETE /cart/items/{id}": "PPPPPPPPPPPPP",
    "POST /checkout": "PPPPPPPPPFFFF",
    "POST /checkout/voucher": "PPPPPPFFFFFFF",
    "GET /orders": "PPPPPPPPPPFFP",
    "GET /orders/{id}": "PPPPPPPPPPPPP",
    "POST /orders/{id}/cancel": "PFPPFPFPPFPFP",
    "POST /orders/{id}/return": "PPPPPPPPPPPPr",
    "GET /stock/{sku}": "PPPPrPPPPPPPP",
    "PUT /stock/{sku}": "PPPPPPPPPPPPN",
    "POST /payments": "PPPPPPPPPPPPB",
    "POST /payments/{id}/refund": "PPPPAAAAAAAAA",
    "GET /prices": "PPPPPPPPPPPPP",
    "GET /prices/history": "PPPPPPPPPPPPP",
    "POST /login": "PPPPPPPPPPPPP",
    "POST /logout": "PPPPPPPPPPPPP",
    "GET /customers/me": "PPPPPPPPPPPPP",
    "PATCH /customers/me": "PPPFPPPPPPPPP",
    "GET /search": "PPPPPPPPPPPPP",
    "GET /search/suggest": "PPPPPFPPPPPPP",
    "GET /health": "PPPPPPPPPPPPP",
    "GET /version": "PPPPPPPPPPPPP",
}

#: What machines write into "Execution output" (at most 255 characters).
ERRORS = (
    "AssertionError: expected total 49.90 but was 59.90 (voucher SPRING10 not applied)",
    "TimeoutError: waiting for selector '#pay-now' exceeded 30000 ms\n    at CartPage.pay (cart.page.ts:88:15)",
    "HTTP 502 Bad Gateway from POST /checkout after 3 attempts",
    'java.lang.NullPointerException: Cannot invoke "Cart.getItems()" because "cart" is null',
    "expect(received).toBe(expected) // Object.is equality\n\nExpected: 200\nReceived: 409",
)

BLOCK = "Skipped: the payment sandbox is down since 04:10"

#: What people write as actual result.
REASONS = (
    "Total shows 59.90 instead of 49.90",
    "The button stays grey; nothing in the console",
    "Page jumps back to the start page after 3-D Secure",
    "Mail arrives without the order number",
)
