-- Nothing asks for the settlements that left records unsent.
drop index settlements_not_sent;
