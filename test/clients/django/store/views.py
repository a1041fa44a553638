from django.http import JsonResponse
from django.urls import path

from store.models import Customer, Order


def orders(request):
    """Lists the tenants of all orders; after a POST, places one."""
    if request.method == "POST":
        customer, _ = Customer.objects.get_or_create(email="pool@example.com", defaults={"name": request.POST["user"]})
        order = Order(customer=customer, status="pooled", placed_by=request.POST["user"])
        order.save()
        if "is_paid" in request.POST:
            order.status = "paid in the pool"
            order.save()
        if "is_taken_back" in request.POST:
            raise RuntimeError("something goes wrong")
    return JsonResponse({"tenants": list(Order.with_deleted.values_list("tenant_id", flat=True))})


urlpatterns = [path("orders", orders)]
