"""Titles of the sample's test cases: suite, section, cases."""

from __future__ import annotations

from itertools import product

from bot.sandbox.world import HOSTILE_NAMES

REGRESSION = {
    "Sign in": (
        "Sign in with email and password",
        "Sign in with a wrong password",
        "Sign in after five wrong tries is locked",
        "Reset a forgotten password",
        "Sign in with a passkey",
        "Stay signed in over a restart",
        "Sign out everywhere",
        "Sign in with two factors",
        "Register with an address already known",
        "Confirm the email address",
    ),
    "Search": (
        "Find a product by name",
        "Find a product by article number",
        "Search with a typing mistake",
        "Search without a match suggests others",
        "Filter by price",
        "Filter by colour and size",
        "Sort by newest",
        "Sort by price",
        "Suggestions while typing",
        "Search in a second language",
    ),
    "Product page": (
        "Show price with tax",
        "Show delivery time",
        "Choose size and colour",
        "Sold out variant cannot be bought",
        "Zoom the pictures",
        "Reviews are paged",
        "Similar products",
        "Share a product",
        "Notify when back in stock",
        "Product page without scripts",
    ),
    "Basket": (
        "Put a product into the basket",
        "Change the quantity",
        "Remove the last product",
        "Basket survives signing in",
        "Voucher lowers the total",
        "Voucher that has expired",
        "Two vouchers are refused",
        "Free delivery from 50",
        "Basket on two devices",
        "Basket with 200 products",
    ),
    "Checkout": (
        "Check out as a guest",
        "Check out signed in",
        "Address is completed while typing",
        "Address abroad",
        "Packing station as address",
        "Choose express delivery",
        "Back button keeps what was typed",
        "Terms must be accepted",
        "Gift wrapping and card",
        "Checkout at midnight",
    ),
    "Payment": (
        "Pay by card",
        "Pay by card with a second factor",
        "Card refused by the bank",
        "Pay by PayPal",
        "Pay by invoice",
        "Pay by Apple Pay",
        "Pay in two parts",
        "Payment times out",
        "Double click pays once",
        "Refund in part",
    ),
    "Orders": (
        "Confirmation by email",
        "Show my orders",
        "Cancel an order within an hour",
        "Send back one of three products",
        "Track a parcel",
        "Download the invoice",
        "Order again",
        "Order with an article withdrawn since",
        "Print the return label",
        "Order history of five years",
    ),
    "Account": (
        "Change the email address",
        "Change the password",
        "Add a second address",
        "Delete an address",
        "Newsletter on and off",
        "Export my data",
        "Delete my account",
        "Merge two accounts",
        "Change language and currency",
        "Show loyalty points",
    ),
}

SMOKE = {
    "Smoke": (
        "Home page answers",
        "Search answers",
        "Product page answers",
        "Basket answers",
        "Sign in works",
        "Checkout starts",
        "Payment provider reachable",
        "Order mail is sent",
        "Stock service reachable",
        "Feature flags load",
        "Consent banner",
        "Health page",
    ),
}

ACCESSIBILITY = {
    "Keyboard": tuple(
        f"{page} by keyboard alone"
        for page in (
            "Home page",
            "Search",
            "Product page",
            "Basket",
            "Checkout",
            "Payment",
            "Orders",
            "Account",
            "Help",
            "Contact",
        )
    ),
    "Screen reader": tuple(
        f"{page} read aloud"
        for page in (
            "Home page",
            "Search",
            "Product page",
            "Basket",
            "Checkout",
            "Payment",
            "Orders",
            "Account",
            "Help",
            "Contact",
        )
    ),
}

#: 10 × 12 × 5 = 600 cases.
CATALOGUE = {
    area: tuple(
        f"{area} in {market} on {device}"
        for market, device in product(
            (
                "Austria",
                "Belgium",
                "Croatia",
                "Denmark",
                "France",
                "Germany",
                "Italy",
                "Netherlands",
                "Poland",
                "Spain",
                "Sweden",
                "Switzerland",
            ),
            ("a phone", "a tablet", "a laptop", "a television", "a kiosk"),
        )
    )
    for area in (
        "Prices",
        "Taxes",
        "Delivery times",
        "Vouchers",
        "Stock",
        "Pictures",
        "Sizes",
        "Reviews",
        "Bundles",
        "Returns",
    )
}

STRANGE = {"Strange characters": ("Plain title", HOSTILE_NAMES[1], HOSTILE_NAMES[2], "Ein Fall mit Umlaut: Größe")}

MOBILE = {
    "Start": tuple(
        f"{what} after {when}"
        for what, when in product(
            ("Open the app", "Sign in", "Restore the basket"),
            ("an update", "a fresh install", "a week in the pocket"),
        )
    ),
    "Shopping": tuple(
        f"{what} {how}"
        for what, how in product(
            (
                "Search",
                "Scan a barcode",
                "Buy again",
                "Pay",
                "Track a parcel",
                "Open a push message",
                "Change the address",
            ),
            ("online", "on a train", "offline"),
        )
    ),
}

BACK_OFFICE = {
    "Invoices": (
        "Issue an invoice",
        "Correct an invoice",
        "Invoice in Swiss francs",
        "Invoice without tax",
        "Remind of an invoice",
        "Write off an invoice",
        "Export to the accountant",
    ),
    "Stock": (
        "Count the stock",
        "Receive goods",
        "Correct a stock figure",
        "Order goods",
        "Return goods to a supplier",
        "Expiry dates",
        "Two warehouses",
        "Labels for shelves",
    ),
}
